//! The questions include every request of the operations, and the engine in memory responds to each.

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::Duration;

    use backup_core::memory::{Damage, Dialect, MemoryEngine};
    use backup_core::operations::{self, Step};
    use backup_core::{
        BackupId, Context, EngineClock, IndexPrefix, ListQuery, PageLimit, RepositoryName, Request, Settings,
    };
    use backup_questions::{INDICES, Question, documents, questions};
    use serde_json::Value;

    /// `GET /_snapshot/_/_?filter_path&verbose=false`: of names and patterns only whether there are several.
    fn kind(request: &Request) -> String {
        let is_name = |segment: &str| !segment.starts_with('_') && !["index", "http", "1"].contains(&segment);
        let path = request.path.iter().map(|segment| match segment {
            names if names.contains(',') => "names",
            name if is_name(name) => "name",
            segment => segment,
        });
        let query = request.query.iter().map(|(name, value)| match name.as_str() {
            "filter_path" => format!("{name}={}", value.len()),
            _ => format!("{name}={value}"),
        });
        let query: BTreeSet<String> = query.collect();
        format!("{} {} {query:?}", request.method, path.collect::<Vec<_>>().join("/"))
    }

    /// Everything that a backup leads to, in a repository that is damaged as well.
    fn requests_of_the_operations() -> Vec<Request> {
        let engine = MemoryEngine::new(Dialect::Elasticsearch8_19);
        engine.pass(Duration::from_secs(1_700_000_000));
        engine.add_repository("r", false);
        engine.write_within(Duration::from_millis(100));
        INDICES.iter().for_each(|index| engine.add_index(index));
        documents().into_iter().for_each(|(index, document)| engine.set_document(index, Some(document)));
        let context = |run: &str| Context {
            settings: Settings {
                repository: Some(RepositoryName::parse("r").unwrap()),
                index_prefix: IndexPrefix::parse("optimize").unwrap(),
                optimize_version: None,
                engine: engine.dialect().kind(),
                resume_window: Duration::from_secs(60),
            },
            now: engine.now(),
            engine_clock: EngineClock::NotAsked,
            run_id: run.to_owned(),
            host: "host".to_owned(),
            notes: Vec::new(),
        };
        let accepted = operations::create(&engine, &context("run"), "1").unwrap();
        let id = BackupId::parse("1").unwrap();
        operations::progress(&engine, &context("other"), "1").unwrap();
        while let Step { again_in: Some(delay), .. } = operations::advance(&engine, &context("run"), id).unwrap() {
            engine.pass(delay);
        }
        engine.damage(&accepted.part_one.to_string(), Some(Damage::Missing));
        operations::get(&engine, &context("other"), "1").unwrap();
        operations::list(&engine, &context("other"), &ListQuery::default()).unwrap();
        operations::create(&engine, &context("another"), "2").unwrap();
        let page = ListQuery { limit: PageLimit::new(2), ..ListQuery::default() };
        operations::list(&engine, &context("other"), &page).unwrap();
        operations::delete(&engine, &context("other"), "2", None).unwrap();
        operations::delete(&engine, &context("other"), "1", None).unwrap();
        assert_eq!(engine.snapshots("r"), []);
        engine.requests()
    }

    #[test]
    fn every_request_of_the_operations_is_asked() {
        let asked: BTreeSet<String> = questions().unwrap().iter().map(|question| kind(&question.request)).collect();
        for request in requests_of_the_operations() {
            assert!(asked.contains(&kind(&request)), "{} is not among {asked:#?}", kind(&request));
        }
    }

    #[test]
    fn each_has_a_name_of_its_own_and_an_answer_in_every_dialect() {
        let mut names = BTreeSet::new();
        for question in questions().unwrap() {
            assert!(names.insert(question.name), "{} is there twice", question.name);
            for dialect in Dialect::ALL {
                let answer = question.read_from_memory(dialect);
                let unknown = answer["type"] == "illegal_argument_exception";
                let may_be = ["list_without_indices", "delete_without_waiting"].contains(&question.name);
                assert!(!unknown || may_be, "{} on {dialect:?}: {answer}", question.name);
            }
        }
        assert!(names.len() > 40, "{names:?}");
    }

    /// Without these differences, and the versions, one dialect would do.
    #[test]
    fn dialects_differ_in_these_answers_only() {
        let told = |answer: Value| (answer["status"].to_string(), answer["type"].to_string());
        let differs = |question: &&Question| {
            let answers = Dialect::ALL.into_iter().map(|dialect| told(question.read_from_memory(dialect)));
            answers.collect::<BTreeSet<_>>().len() > 1
        };
        let all = questions().unwrap();
        let differing: BTreeSet<&str> = all.iter().filter(differs).map(|question| question.name).collect();
        let expected = [
            "delete_without_waiting",
            "empty_list",
            "empty_names_list",
            "list_without_indices",
            "running_name",
            "strict_patterns_without_match",
            "taken_name",
            "taken_name_and_missing_index",
            "unknown_repository_list",
            "unknown_repository_names_list",
            "unknown_repository_readable_list",
        ];
        assert_eq!(differing.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_read_tells_answers_apart() {
        let all: BTreeMap<&str, Value> = questions()
            .unwrap()
            .iter()
            .map(|question| (question.name, question.read_from_memory(Dialect::OpenSearch2_19)))
            .collect();
        assert_eq!(all["empty_list"]["about"], "s*");
        assert_eq!(all["missing_file"]["about"], "s1/");
        assert_ne!(all["taken_name"], all["name_in_capitals"]);
        assert_ne!(all["repository"], all["read_only_repository"]);
        assert_ne!(all["running"], all["exact_list"]);
    }
}

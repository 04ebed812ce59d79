// What snapshots are called, which indices are in them, and what a set of them amounts to.

import { ask, fault } from './engine.js';

const NAME = /^camunda_optimize_([1-9][0-9]{0,18})_([a-z0-9.+-]{1,64})_part_([12])_of_2$/;
const MAX_ID = 2n ** 63n - 1n;
const IMPORT_INDEX = /^((timestamp-based-|position-based-)?import-index|job-registry)(_v[0-9]+)?(-[0-9]{6})?$/;
const STATES = { IN_PROGRESS: 'in-progress', SUCCESS: 'success', PARTIAL: 'partial', FAILED: 'failed' };

/** A backup's number, as the caller wrote it. */
export function parseId(text) {
  if (!/^[1-9][0-9]{0,18}$/.test(text) || BigInt(text) > MAX_ID) {
    throw fault('invalid-request', 'invalidBackupId', `send an integer from 1 to ${MAX_ID}, in digits only`);
  }
  return BigInt(text);
}

export function nameOf(id, version, part) {
  return `camunda_optimize_${id}_${version}_part_${part}_of_2`;
}

/** The name of the repository, which an operator may have forgotten to configure. */
export function repositoryOf({ settings }) {
  if (settings.repository === '') {
    throw fault('configuration', 'repositoryNotConfigured', 'no repository is set: set backup.repositoryName');
  }
  return settings.repository;
}

/**
 * The snapshots of one backup, or of all, by part.
 *
 * Installations can share a repository: an ID of which another one has a snapshot is that one's, and its snapshots are
 * `anothers`.
 */
export function listSnapshots(context, id = undefined) {
  const pattern = id === undefined ? 'camunda_optimize_*' : `camunda_optimize_${id}_*`;
  const found = namesMatching(repositoryOf(context), pattern);
  const all = found.filter(({ snapshot }) => isName(snapshot)).map(read);
  all.sort((one, other) => one.part - other.part || (one.name < other.name ? -1 : 1));
  const ids = new Set(all.filter((snapshot) => !isOfThisInstallation(context, snapshot)).map(({ id }) => id));
  const ours = all.filter(({ id }) => !ids.has(id));
  return { ours, anothers: all.filter(({ id }) => ids.has(id)), foreign: found.length - ours.length };
}

/** The prefix of another installation that has one of the snapshots, if there is one. */
export function anotherInstallation(context, snapshots) {
  return snapshots.find((snapshot) => !isOfThisInstallation(context, snapshot))?.indexPrefix;
}

/** Without a prefix in its metadata, as Optimize's own have none, it counts as ours. */
function isOfThisInstallation({ settings }, { indexPrefix = settings.indexPrefix }) {
  return indexPrefix === settings.indexPrefix;
}

function namesMatching(repository, pattern) {
  try {
    const { snapshots = [], failures = {} } = ask('get', ['_snapshot', repository, pattern]);
    // Elasticsearch 7.17 and 8.11 tell of a missing repository with 200.
    if (repository in failures) {
      throw fault('configuration', 'repositoryMissing', 'the search engine does not know the repository');
    }
    return snapshots;
  } catch (error) {
    // Engines refuse a pattern that matches nothing. With any other name it is a damaged snapshot.
    const { type, reason } = error.refusal ?? {};
    if (type === 'snapshot_missing_exception' && reason.includes(`:${pattern}]`)) return [];
    throw error;
  }
}

function isName(text) {
  const match = NAME.exec(text);
  return match !== null && BigInt(match[1]) <= MAX_ID;
}

function read(found) {
  const [, id, version, part] = NAME.exec(found.snapshot);
  return {
    name: found.snapshot,
    id: BigInt(id),
    version,
    part: Number(part),
    state: STATES[found.state] ?? 'incompatible',
    started: toTime(found.start_time_in_millis),
    ended: toTime(found.end_time_in_millis),
    failures: (found.failures ?? []).map(({ index, shard_id, reason }) => `${index} shard ${shard_id}: ${reason}`),
    runId: found.metadata?.optimizeBackup?.runId,
    indexPrefix: found.metadata?.optimizeBackup?.indexPrefix,
  };
}

function toTime(milliseconds) {
  return milliseconds ? BigInt(milliseconds) : undefined;
}

/** The indices of a part: import progress first, everything else after that is safe. */
export function indicesOf({ settings }, part) {
  const prefix = `${settings.indexPrefix}-`;
  const { indices } = ask('get', ['_resolve', 'index', `${prefix}*`], { expand_wildcards: 'all' });
  const names = indices.map(({ name }) => name).filter((name) => name.startsWith(prefix));
  const chosen = names.filter((name) => IMPORT_INDEX.test(name.slice(prefix.length)) === (part === 1));
  // An empty list would make the engine snapshot every index of the cluster.
  if (chosen.length === 0) {
    throw fault('engine-failure', 'nothingToBackUp', `there is no index for part ${part} under '${prefix}'`);
  }
  return chosen;
}

/** What the snapshots of one backup amount to: a `backup` of wit/types.wit. */
export function assess(context, snapshots, note = noteOn(context, snapshots[0])) {
  const [state, failureReason] = judge(context, snapshots, note);
  const one = snapshots.find(({ part }) => part === 1);
  return {
    backupId: snapshots[0].id,
    state,
    failureReason,
    details: snapshots.map(({ name, state, started, failures }) => ({
      snapshotName: name,
      state,
      startTime: started,
      failures,
    })),
    runId: one?.runId,
  };
}

function judge(context, snapshots, note) {
  const failed = snapshots.filter(({ state }) => state === 'failed' || state === 'partial');
  if (failed.length > 0) {
    return ['failed', failed.map(({ name, state, failures }) => [`${name} is ${state}`, ...failures]).join('; ')];
  }
  if (snapshots.length > 2 || new Set(snapshots.map(({ runId }) => runId)).size > 1) {
    return ['failed', `its snapshots do not belong together: ${snapshots.map(({ name }) => name).join(', ')}`];
  }
  const unknown = snapshots.find(({ state }) => state === 'incompatible');
  if (unknown) return ['incompatible', `${unknown.name} cannot be read by this cluster`];
  if (snapshots.some(({ state }) => state === 'in-progress') || partOneInTheGap(context, snapshots, note)) {
    return ['in-progress', undefined];
  }
  const missing = [1, 2].filter((part) => !snapshots.some((snapshot) => snapshot.part === part));
  if (missing.length === 0) return ['complete', undefined];
  const refusal = note?.refusal ? `: the search engine refused it: ${note.refusal}` : '';
  return ['incomplete', `part ${missing.join(' and ')} is missing${refusal}`];
}

/** Part 1, if it is ours and safe, part 2 is not there, and it is not too late for it. */
export function partOneInTheGap({ settings, now }, snapshots, note) {
  const [one, ...others] = snapshots;
  const isWaiting = others.length === 0 && one.part === 1 && one.state === 'success' && !note?.ended;
  const inTime = one.ended !== undefined && now <= one.ended + settings.resumeWindow;
  return isWaiting && inTime && one.runId !== undefined ? one : undefined;
}

/** What the host remembers of the run that wrote a snapshot. */
export function noteOn({ notes }, { id, runId }) {
  return notes.find((note) => note.backupId === id && note.runId === runId);
}

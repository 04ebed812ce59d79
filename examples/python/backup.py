"""Backups of Camunda Optimize by the policy component, in a host of one's own."""

import http.client
import os
import re
import sys
import time
import urllib.error
import urllib.request
import uuid
from urllib.parse import quote, urlencode

from wasmtime import Engine, Store, WasmtimeError
from wasmtime.component import Component, Linker, Record, Variant

USAGE = "usage: backup.py POLICY (create ID | advance ID | get ID | list | delete ID)"

# A deletion is answered when it is done, which can take minutes.
TIMEOUT_SECONDS = 600


def setting(name, default):
    return os.environ.get(name, default)


def record(**fields):
    """A WIT record: its names have dashes where Python's have underscores."""
    result = Record()
    for name, value in fields.items():
        setattr(result, name.replace("_", "-"), value)
    return result


# What an operation may do beside reading, with the snapshots of its own backup.
WRITES = {"create": "put", "advance": "put", "delete": "delete"}


class Scope:
    """What the call that is under way may write: nothing, until one begins that is for that."""

    method, prefix = None, None

    @classmethod
    def enter(cls, operation, backup_id=None):
        is_number = re.fullmatch("[0-9]+", str(backup_id))
        cls.method, cls.prefix = is_number and WRITES.get(operation), f"camunda_optimize_{backup_id}_"

    @classmethod
    def grants(cls, request):
        """The least that a host checks: whatever the policy is, a list deletes nothing, and a DELETE only what it names."""
        if request.method == "get":
            return True
        if request.method != cls.method or request.path[:-1] != ["_snapshot", setting("BACKUP_REPOSITORY", "")]:
            return False
        names = request.path[-1].split(",")
        return all(name.startswith(cls.prefix) and re.fullmatch("[a-z0-9._+-]+", name) for name in names)


def send(store, request):
    """Sends a request to Elasticsearch: the one thing that a host gives to a policy."""
    if not Scope.grants(request):
        return Variant("denied", f"the call is not for {request.method} /{'/'.join(request.path)}")
    # Path and query come in parts: nothing in them can be mistaken for a part of the URL.
    path = "/".join(quote(segment, safe="") for segment in request.path)
    url = f"{setting('ELASTICSEARCH_URL', 'http://localhost:9200').rstrip('/')}/{path}?{urlencode(request.query)}"
    body = None if request.body is None else request.body.encode()
    headers = {"content-type": "application/json"}
    question = urllib.request.Request(url, body, headers, method=request.method.upper())
    try:
        try:
            answer = urllib.request.urlopen(question, timeout=TIMEOUT_SECONDS)
        except urllib.error.HTTPError as refusal:
            # A status of 400 is an answer as well: it is the policy that judges.
            answer = refusal
        with answer:
            text = answer.read().decode()
    except (ConnectionRefusedError, urllib.error.URLError) as fault:
        return Variant("unreachable", str(fault))
    except (OSError, http.client.HTTPException) as fault:
        # The engine may have acted on the request, which makes a difference to the policy.
        return Variant("interrupted", str(fault))
    except UnicodeDecodeError as fault:
        return Variant("unreadable", str(fault))
    seconds = answer.headers.get("retry-after", "")
    retry_after = int(seconds) * 1000 if seconds.isdigit() else None
    return record(status=answer.status, retry_after=retry_after, body=text)


def submit(store, request):
    """This host has all the time in the world, so it waits. One that has not answers None after a moment."""
    answer = send(store, request)
    if isinstance(answer, Variant):
        # wasmtime-py has no way to answer with an error where the success is an option.
        raise ConnectionError(answer.payload)
    return answer


class Refused(Exception):
    """The policy says no, and why."""

    def __init__(self, problem):
        super().__init__(f"{problem.code}: {problem.message}\n{problem.detail or ''}".rstrip())


class Backups:
    """An instance of the policy."""

    def __init__(self, policy):
        engine = Engine()
        linker = Linker(engine)
        with linker.root() as root, root.add_instance("optimize:backup/elasticsearch@1.0.0") as elasticsearch:
            elasticsearch.add_func("send", send)
            elasticsearch.add_func("submit", submit)
        self.store = Store(engine)
        self.instance = linker.instantiate(self.store, Component.from_file(engine, policy))
        self.interface = self.instance.get_export_index(self.store, "optimize:backup/backups@1.0.0")

    def call(self, name, *arguments):
        Scope.enter(name, *arguments[:1])
        index = self.instance.get_export_index(self.store, name, self.interface)
        outcome = self.instance.get_func(self.store, index)(self.store, context(), *arguments)
        if isinstance(outcome, Variant):
            raise Refused(outcome.payload)
        return outcome

    def create(self, backup_id):
        accepted = self.call("create", backup_id)
        print(f"accepted {getattr(accepted, 'backup-id')}: {getattr(accepted, 'snapshot-name')}")
        self.advance(backup_id)

    def advance(self, backup_id):
        """Drives a backup until it ends. It resumes a run that another process has begun."""
        while True:
            progress = self.call("advance", int(backup_id))
            show(progress.backup)
            again_in = getattr(progress, "again-in")
            if again_in is None:
                return
            time.sleep(again_in / 1000)

    def get(self, backup_id):
        show(self.call("get", backup_id))

    def list(self):
        everything = record(pattern="*", before=None, limit=None, verbose=True)
        for backup in self.call("list", everything).backups:
            show(backup)

    def delete(self, backup_id):
        deleted = self.call("delete", backup_id, None)
        print(f"deleted {backup_id}: {', '.join(deleted.snapshots)}")


def context():
    """What every call is given; the policy keeps nothing between two calls."""
    settings = record(
        repository=setting("BACKUP_REPOSITORY", ""),
        index_prefix=setting("INDEX_PREFIX", "optimize"),
        optimize_version=None,
        engine="elasticsearch",
        resume_window=600_000,
    )
    now, run_id = time.time_ns() // 1_000_000, str(uuid.uuid4())
    return record(settings=settings, now=now, run_id=run_id, host="example-python 0.1.0", notes=[])


def show(backup):
    snapshots = ", ".join(getattr(detail, "snapshot-name") for detail in backup.details)
    print(f"{backup.state} {getattr(backup, 'backup-id')}: {snapshots}")
    if reason := getattr(backup, "failure-reason"):
        print(reason)


def main(arguments):
    match arguments:
        case [policy, "create" | "advance" | "get" | "delete" as command, backup_id]:
            getattr(Backups(policy), command)(backup_id)
        case [policy, "list"]:
            Backups(policy).list()
        case _:
            raise SystemExit(USAGE)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Refused, ConnectionError, ValueError, WasmtimeError) as error:
        raise SystemExit(f"error: {error}") from None

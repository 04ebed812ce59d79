// Backups of Camunda Optimize by the policy component, in a host of one's own.

import { setTimeout } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { enter } from './elasticsearch.js';
import { backups } from './target/policy.js';

const USAGE = 'usage: node backup.js (create ID | advance ID | get ID | list | delete ID)';

const commands = {
  async create(id) {
    enter('put', id);
    const accepted = backups.create(context(), id);
    console.log(`accepted ${accepted.backupId}: ${accepted.snapshotName}`);
    await commands.advance(id);
  },

  /** Drives a backup until it ends. It resumes a run that another process has begun. */
  async advance(id) {
    enter('put', id);
    for (;;) {
      const { backup, againIn } = backups.advance(context(), BigInt(id));
      print(backup);
      if (againIn === undefined) return;
      await setTimeout(Number(againIn));
    }
  },

  get(id) {
    enter();
    print(backups.get(context(), id));
  },

  list() {
    enter();
    const everything = { pattern: '*', before: undefined, limit: undefined, verbose: true };
    backups.list(context(), everything).backups.forEach(print);
  },

  delete(id) {
    enter('delete', id);
    const deleted = backups.delete(context(), id, undefined);
    console.log(`deleted ${id}: ${deleted.snapshots.join(', ')}`);
  },
};

/** What every call is given; the policy keeps nothing between two calls. */
function context() {
  return {
    settings: {
      repository: process.env.BACKUP_REPOSITORY ?? '',
      indexPrefix: process.env.INDEX_PREFIX ?? 'optimize',
      optimizeVersion: undefined,
      engine: 'elasticsearch',
      resumeWindow: 600_000n,
    },
    now: BigInt(Date.now()),
    runId: randomUUID(),
    host: 'example-node 0.1.0',
    notes: [],
  };
}

function print({ state, backupId, details, failureReason }) {
  console.log(`${state} ${backupId}: ${details.map((detail) => detail.snapshotName).join(', ')}`);
  if (failureReason) console.log(failureReason);
}

/** A refusal of the policy has its problem as the payload. */
function explain(error) {
  const problem = error.payload?.val;
  if (!problem) throw error;
  return `error: ${problem.code}: ${problem.message}\n${problem.detail ?? ''}`.trimEnd();
}

const [command, ...ids] = process.argv.slice(2);
if (!Object.hasOwn(commands, command) || ids.length !== commands[command].length) {
  console.error(USAGE);
  process.exit(1);
}
try {
  await commands[command](...ids);
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}

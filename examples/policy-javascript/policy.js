// A policy: the six operations of wit/backups.wit, and the one of wit/retention.wit. It neither restores nor verifies.
//
// Each call is short and keeps nothing. It may be cut off anywhere, and made again by anybody.

import { ask, canPass, fault, isNameInUse, order } from './engine.js';
import { expire } from './retention.js';
import {
  anotherInstallation,
  assess,
  indicesOf,
  listSnapshots,
  nameOf,
  noteOn,
  parseId,
  partOneInTheGap,
  repositoryOf,
} from './snapshots.js';

const POLICY = 'backup-policy-in-javascript';
const LOOK_AGAIN = 1000n;
const TRY_AGAIN = 3000n;

function create(context, text) {
  const id = parseId(text);
  const { ours, anothers } = listSnapshots(context, id);
  if (ours.length + anothers.length > 0) throw alreadyExists(context, id, [...ours, ...anothers]);
  const name = nameOf(id, optimizeVersion(context), 1);
  // A backup of which part 2 could never be made is not begun.
  indicesOf(context, 2);
  try {
    writeSnapshot(context, name, 1, context.runId);
  } catch (error) {
    acceptIfWritten(context, id, error);
  }
  return { backupId: id, snapshotName: name };
}

/** An answer can get lost, and another host be faster: the snapshots tell whose backup it is. */
function acceptIfWritten(context, id, error) {
  const isUncertain = error.val?.code === 'engineNotAnswering' || error.val?.code === 'engineAnswerInvalid';
  if (!isUncertain && !(error.refusal && isNameInUse(error.refusal))) throw error;
  const { ours, anothers } = listSnapshots(context, id);
  if (ours.some(({ runId }) => runId === context.runId)) return;
  const found = [...ours, ...anothers];
  throw found.length > 0 ? alreadyExists(context, id, found) : error;
}

function advance(context, id) {
  const snapshots = existing(context, id);
  if (snapshots.some(({ state }) => state === 'in-progress')) {
    return { backup: assess(context, snapshots), againIn: LOOK_AGAIN, accepted: false };
  }
  const one = partOneInTheGap(context, snapshots, noteOn(context, snapshots[0]));
  if (!one) return { backup: assess(context, snapshots), accepted: false };
  return startPartTwo(context, snapshots, one);
}

function startPartTwo(context, snapshots, one) {
  try {
    writeSnapshot(context, nameOf(one.id, one.version, 2), 2, one.runId);
  } catch (error) {
    if (!error.refusal) throw error;
    // Another host was faster.
    if (!isNameInUse(error.refusal)) return afterRefusal(context, snapshots, error);
  }
  return { backup: assess(context, snapshots), againIn: LOOK_AGAIN, accepted: true };
}

function afterRefusal(context, snapshots, { refusal, detail }) {
  if (canPass(refusal) || refusal.type === 'index_not_found_exception') {
    return { backup: assess(context, snapshots), againIn: TRY_AGAIN, refusal: detail, accepted: false };
  }
  return { backup: assess(context, snapshots, { ended: true, refusal: detail }), refusal: detail, accepted: false };
}

function get(context, text) {
  return assess(context, existing(context, parseId(text)));
}

/** By bytes while part 2 is written; part 1 is small. */
function progress(context, text) {
  const snapshots = existing(context, parseId(text));
  const { backupId, state } = assess(context, snapshots);
  const parts = snapshots.map((snapshot) => partProgress(context, snapshot));
  const two = parts.find(({ part }) => part === 2);
  const permille = two?.bytes?.total ? Number((two.bytes.done * 1000n) / two.bytes.total) : 0;
  return {
    backupId,
    state,
    permille: state === 'complete' ? 1000 : Math.min(permille, 999),
    startTime: snapshots[0].started,
    parts,
  };
}

/** Engines leave out what is processed where that is everything. */
function partProgress(context, { name, part, state }) {
  const known = { part, snapshotName: name, state };
  if (state === 'incompatible') return known;
  const { snapshots } = ask('get', ['_snapshot', repositoryOf(context), name, '_status']);
  const { shards_stats: shards, stats } = snapshots[0];
  const { incremental, processed = incremental } = stats;
  return {
    ...known,
    bytes: { total: BigInt(incremental.size_in_bytes), done: BigInt(processed.size_in_bytes) },
    shards: { total: shards.total, done: shards.done, failed: shards.failed },
  };
}

/** Always in full: `verbose: false` allows to tell less, and does not demand it. */
function list(context, { pattern, before, limit }) {
  const { ours, foreign } = listSnapshots(context);
  const asked = ours.map(({ id }) => id).filter((id) => isMatch(id, pattern) && (before === undefined || id < before));
  const ids = [...new Set(asked)].sort((one, other) => (one < other ? 1 : -1));
  const page = ids.slice(0, limit);
  const backups = page.map((id) => assess(context, ours.filter((snapshot) => snapshot.id === id)));
  return { backups, foreign, next: page.length < ids.length ? page.at(-1) : undefined };
}

function isMatch(id, pattern) {
  return pattern.endsWith('*') ? `${id}`.startsWith(pattern.slice(0, -1)) : `${id}` === pattern;
}

function remove(context, text, onlyRuns) {
  const id = parseId(text);
  let { ours, anothers } = listSnapshots(context, id);
  if (anothers.length > 0 && !onlyRuns) throw ofAnotherInstallation(context, id, anothers);
  if (onlyRuns) ours = ours.filter(({ runId }) => onlyRuns.includes(runId));
  const snapshots = ours.map(({ name }) => name);
  const runs = [...new Set(ours.map(({ runId }) => runId))].filter((runId) => runId !== undefined);
  if (snapshots.length === 0) return { snapshots, runs, pending: false };
  const answer = order('delete', ['_snapshot', repositoryOf(context), snapshots.join(',')]);
  return { snapshots, runs, pending: answer === undefined };
}

function existing(context, id) {
  const { ours } = listSnapshots(context, id);
  if (ours.length === 0) throw fault('not-found', 'backupNotFound', `there is no backup with ID ${id}`);
  return ours;
}

function alreadyExists(context, id, snapshots) {
  const names = snapshots.map(({ name }) => name).join(', ');
  const another = anotherInstallation(context, snapshots);
  const of = another ? `, of the installation with the index prefix '${another}'` : '';
  return fault('conflict', 'backupAlreadyExists', `a backup with ID ${id} already exists${of}: ${names}`);
}

function ofAnotherInstallation(context, id, snapshots) {
  const another = anotherInstallation(context, snapshots);
  const text = `backup ${id} is of the installation with the index prefix '${another}' and is not deleted`;
  return fault('conflict', 'backupOfAnotherInstallation', text);
}

/** Starts a snapshot. By the metadata any policy knows which run it belongs to. */
function writeSnapshot(context, name, part, runId) {
  const optimizeBackup = {
    runId,
    part,
    parts: 2,
    host: context.host,
    indexPrefix: context.settings.indexPrefix,
    policy: POLICY,
  };
  const body = {
    indices: indicesOf(context, part),
    include_global_state: false,
    metadata: { optimizeBackup },
  };
  ask('put', ['_snapshot', repositoryOf(context), name], { wait_for_completion: 'false' }, body);
}

function optimizeVersion({ settings }) {
  if (settings.optimizeVersion) return settings.optimizeVersion.toLowerCase();
  const path = [`${settings.indexPrefix}-metadata`, '_doc', '1'];
  return ask('get', path, { _source: 'schemaVersion' })._source.schemaVersion.toLowerCase();
}

export const backups = { create, advance, get, progress, list, delete: remove };

const noRestore = notSupported('restoreNotSupported', 'restore');
export const restores = { plan: noRestore, advance: noRestore, get: noRestore };

const noVerification = notSupported('verificationNotSupported', 'verify');
export const verifications = {
  begin: noVerification,
  advance: noVerification,
  traces: noVerification,
  clear: noVerification,
};

export const retention = { expire };

/** A policy need not do everything: its code tells the host so. */
function notSupported(code, verb) {
  return () => {
    throw fault('invalid-request', code, `this policy does not ${verb} backups`);
  };
}

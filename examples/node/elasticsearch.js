// The one thing that a host gives to a policy: requests to Elasticsearch.
//
// A policy waits for the answer, but Node's own requests can only be awaited. So they are made on
// another thread, and this one stands still meanwhile.

import { createSyncFn } from 'synckit';

const ask = createSyncFn(new URL('./elasticsearch-worker.js', import.meta.url));

// What the call that is under way may write, and of which backup. Nothing, until a call begins that is for that.
let scope = {};

/** Says what the next call is for: `put` or `delete` of snapshots of one backup. Without a number it only reads. */
export function enter(method, id) {
  scope = /^\d+$/.test(id) ? { method, prefix: `camunda_optimize_${id}_` } : {};
}

/** The least that a host checks: whatever the policy is, a list deletes nothing, and a DELETE only what it names. */
function isGranted({ method, path: [api, repository, names, ...rest] }) {
  if (method === 'get') return true;
  const isSnapshot = api === '_snapshot' && repository === process.env.BACKUP_REPOSITORY && rest.length === 0;
  const isOwn = (name) => name.startsWith(scope.prefix) && /^[a-z0-9._+-]+$/.test(name);
  return method === scope.method && isSnapshot && names !== undefined && names.split(',').every(isOwn);
}

/** Sends a request and waits for the answer; what is thrown is the error of the WIT function. */
export function send(request) {
  if (!isGranted(request)) {
    throw { tag: 'denied', val: `the call is not for ${request.method} /${request.path.join('/')}` };
  }
  const { response, error } = ask(request);
  if (error) throw error;
  return response;
}

/** This host has all the time in the world, so it waits. One that has not returns undefined after a moment. */
export function submit(request) {
  return send(request);
}

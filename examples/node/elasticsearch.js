// The one thing that a host gives to a policy: requests to Elasticsearch.
//
// A policy waits for the answer, but Node's own requests can only be awaited. So they are made on
// another thread, and this one stands still meanwhile.

import { createSyncFn } from 'synckit';

const ask = createSyncFn(new URL('./elasticsearch-worker.js', import.meta.url));

/** Sends a request and waits for the answer; what is thrown is the error of the WIT function. */
export function send(request) {
  const { response, error } = ask(request);
  if (error) throw error;
  return response;
}

/** This host has all the time in the world, so it waits. One that has not returns undefined after a moment. */
export function submit(request) {
  return send(request);
}

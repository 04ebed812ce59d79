// The thread that makes the requests of elasticsearch.js.

import { runAsWorker } from 'synckit';

const url = process.env.ELASTICSEARCH_URL ?? 'http://localhost:9200';

// A deletion is answered when it is done, which can take minutes.
const TIMEOUT_MS = 600_000;

// With these the request was not sent.
const NO_CONNECTION = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'];

runAsWorker(async ({ method, path, query, body }) => {
  // Path and query come in parts: nothing in them can be mistaken for a part of the URL.
  const target = `${url.replace(/\/$/, '')}/${path.map(encodeURIComponent).join('/')}?${new URLSearchParams(query)}`;
  const headers = { 'content-type': 'application/json' };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const answer = await fetch(target, { method: method.toUpperCase(), headers, body, signal });
    const seconds = answer.headers.get('retry-after');
    const retryAfter = /^\d+$/.test(seconds) ? BigInt(seconds) * 1000n : undefined;
    return { response: { status: answer.status, retryAfter, body: await answer.text() } };
  } catch (fault) {
    // The engine may have acted on the request, which makes a difference to the policy.
    const tag = NO_CONNECTION.includes(fault.cause?.code) ? 'unreachable' : 'interrupted';
    return { error: { tag, val: `${url}: ${fault.cause?.message ?? fault.message}` } };
  }
});

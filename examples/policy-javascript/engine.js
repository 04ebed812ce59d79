// Requests to the engine, and what can come back.

import { send, submit } from 'optimize:backup/elasticsearch@1.0.0';

/** An error of wit/types.wit. Throwing it ends the call. */
export function fault(tag, code, message, detail) {
  return { tag, val: { code, message, detail } };
}

/** Sends a request and waits for the document that it is answered with. */
export function ask(method, path, query = {}, body = undefined) {
  return exchange(send, method, path, query, body);
}

/** Sends a request that can take minutes. `undefined`: the engine is still at it. */
export function order(method, path) {
  return exchange(submit, method, path, {}, undefined);
}

function exchange(call, method, path, query, body) {
  const text = `${method.toUpperCase()} /${path.join('/')}`;
  let response;
  try {
    response = call({ method, path, query: Object.entries(query), body: body && JSON.stringify(body) });
  } catch (error) {
    throw lost(text, error.payload);
  }
  if (response === undefined) return undefined;
  const document = parse(response.body);
  if (response.status >= 300) throw refused(text, response.status, document?.error);
  if (typeof document !== 'object' || document === null) {
    throw fault('engine-failure', 'engineAnswerInvalid', `the answer to ${text} is not an engine's`);
  }
  return document;
}

function parse(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** There is no answer. After `interrupted` and `unreadable` the engine may have acted. */
function lost(text, { tag, val }) {
  switch (tag) {
    case 'denied':
      return fault('denied', 'requestNotGranted', `the host does not grant ${text}`, val);
    case 'unreachable':
      return fault('unreachable', 'engineUnreachable', `the engine cannot be reached: ${val}`);
    default:
      return fault('unreachable', 'engineNotAnswering', `the answer to ${text} did not arrive: ${val}`);
  }
}

/** The engine says no. The refusal stays with the error, for those who know what to make of it. */
function refused(text, status, error) {
  const refusal = { status, type: error?.type ?? '', reason: error?.reason ?? '' };
  const detail = `${status} ${refusal.type}: ${refusal.reason}`;
  return { ...kindOf(text, refusal, detail), refusal, detail };
}

function kindOf(text, { status, type }, detail) {
  if (type === 'repository_missing_exception') {
    return fault('configuration', 'repositoryMissing', 'the engine does not know the repository', detail);
  }
  if (status === 401 || status === 403) {
    return fault('engine-failure', 'engineAccessDenied', `the engine refused access to ${text}`, detail);
  }
  if (canPass({ status })) {
    return fault('engine-failure', 'engineBusy', `the engine is too busy for ${text}; try again`, detail);
  }
  return fault('engine-failure', 'engineRefused', `the engine refused ${text}`, detail);
}

/** Whether the same request can succeed later. */
export function canPass({ status }) {
  return status === 408 || status === 429 || status >= 500;
}

/** Whether a refusal says that a snapshot of this name exists; old engines have no type of its own for it. */
export function isNameInUse({ type, reason }) {
  return type === 'snapshot_name_already_in_use_exception' || reason.includes('snapshot with the same name');
}

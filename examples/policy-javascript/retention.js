// Which backups expire: the newest that can be restored stays whatever the rules say.

/** Chooses the backups to delete, oldest first. */
export function expire(context, rules, candidates) {
  const known = candidates.filter(({ backup }) => startOf(backup) !== undefined && backup.runId !== undefined);
  known.sort((one, other) => (startOf(one.backup) < startOf(other.backup) ? 1 : -1));
  const expired = [];
  let newer = 0;
  for (const { backup, inUse } of known) {
    const reason = inUse || isUnreadable(backup) ? undefined : reasonFor(context, rules, backup, newer);
    if (reason !== undefined) expired.push({ backupId: backup.backupId, reason });
    if (backup.state === 'complete') newer += 1;
  }
  return expired.reverse();
}

/** `newer`: how many newer backups are complete. */
function reasonFor(context, { expireAfter, minCount = 0, maxCount = Infinity }, backup, newer) {
  const isOld = expireAfter !== undefined && context.now - startOf(backup) > expireAfter;
  const byAge = isOld ? 'it is older than expireAfter' : undefined;
  switch (backup.state) {
    case 'complete':
      if (newer === 0) return undefined;
      return newer >= maxCount ? 'there are more than maxCount' : newer >= minCount ? byAge : undefined;
    case 'failed':
    case 'incomplete':
      return newer > 0 ? 'it cannot be restored, and a newer one can' : byAge;
    case 'incompatible':
      // Another cluster may restore it.
      return newer > 0 && newer >= minCount ? byAge : undefined;
    default:
      return undefined;
  }
}

/** When its first snapshot was started. */
function startOf({ details }) {
  const starts = details.map(({ startTime }) => startTime).filter((start) => start !== undefined);
  return starts.length > 0 ? starts.reduce((one, other) => (one < other ? one : other)) : undefined;
}

function isUnreadable({ details }) {
  return details.some(({ state }) => state === 'unreadable');
}

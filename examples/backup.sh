#!/usr/bin/env bash
# backup.sh URL [ID]: makes a backup and waits for its end.
# Ends with 0 if the backup can be restored; otherwise, also after 6 hours, with 1, and says why.
set -uo pipefail
backups="${1:?the URL, such as http://optimize-backup:8092}/actuator/backups"
id="${2:-$(date -u +%Y%m%d%H%M%S)}"
give_up=$((SECONDS + 6 * 3600))

reply=$(curl --silent --show-error --max-time 120 --write-out '\n%{http_code}' \
  --header 'Content-Type: application/json' --data "{\"backupId\": $id}" "$backups")
ended=$?
echo "${reply%$'\n'*}"
if [[ ${reply##*$'\n'} != 202 ]]; then
  # 28: curl waited in vain. After any other answer the backup was not started.
  [[ $ended == 28 || $reply =~ $'\n'502$ || $reply =~ \"(engineBusy|engineAnswerInvalid)\" ]] || exit 1
  echo "backup $id: Elasticsearch did not answer; it may have started all the same" >&2
fi

word='"(state|errorCode)":"([A-Za-z_]+)"' # the first in an answer is that of the backup itself
while sleep 5; do
  answer=$(curl --silent --show-error --max-time 120 "$backups/$id") || answer=
  [[ $answer =~ $word ]]
  case ${BASH_REMATCH[2]:-} in
    COMPLETE | COMPLETED) echo "backup $id is complete" && exit 0 ;;
    FAILED | INCOMPATIBLE | INCOMPLETE | backupNotFound) echo "$answer" >&2 && exit 1 ;;
  esac
  # IN_PROGRESS, or an answer that says nothing about the backup: ask again.
  if ((SECONDS > give_up)); then echo "gave up waiting for backup $id: $answer" >&2 && exit 1; fi
done

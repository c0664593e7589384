"""What Redis does as one step: scripts, each about the keys of one document, which a cluster keeps together.

Redis does not undo what a script has done before an error. So each begins with what may be refused, for want of memory
or because this Redis takes no writes.
"""

import hashlib

_LIFE = "local function life(version) return string.match(version, '^[^:]+') end\n"
_JOURNAL = """
-- How many entries a journal has, and their size.
local function journal_of(count)
    local found = redis.call('HMGET', count, 'entries', 'bytes')
    return tonumber(found[1] or '0'), tonumber(found[2] or '0')
end
-- Deletes the oldest of those that were added together: at most so many entries, or about so many bytes.
local function shorten(journal, count, most, size)
    local entries, bytes = 0, 0
    while bytes < size do
        local oldest = redis.call('XRANGE', journal, '-', '+', 'COUNT', 1)[1]
        if not oldest or entries + oldest[2][4] > most then break end
        redis.call('XDEL', journal, oldest[1])
        entries, bytes = entries + oldest[2][4], bytes + #oldest[2][6]
    end
    if entries > 0 then
        redis.call('HINCRBY', count, 'entries', -entries)
        redis.call('HINCRBY', count, 'bytes', -bytes)
    end
    return bytes
end
"""

COMMIT = (
    _LIFE
    + _JOURNAL
    + """
-- KEYS: version, contents, commits, journal, count, lost
-- ARGV: expected, new, whole, clears, asked, max_requests, milliseconds to live, changes as one value, number of the
--       first entry, how many entries, all of them as one value, how many keys are set, how many are deleted, how many
--       reasons, then key, value ..., key ..., reason, number ...
local now, expected, new = redis.call('GET', KEYS[1]) or '', ARGV[1], ARGV[2]
local only_read = expected == new and new ~= ''
if now ~= expected and not (only_read and now ~= '' and life(now) == life(expected)) then
    return {0, now}
end
local lost, count, bytes, most = 0, 0, 0, tonumber(ARGV[6])
if now ~= '' and (new == '' or ARGV[3] == '1') then
    count, bytes = journal_of(KEYS[5])
    count = math.min(count, most)
    redis.call('DEL', unpack(KEYS))
end
if new == '' then
    return {1, 0, count, bytes}
end
if not only_read then
    redis.call('SET', KEYS[1], new)
end
local at = 15
for _ = 1, tonumber(ARGV[12]) do
    redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
    at = at + 2
end
for _ = 1, tonumber(ARGV[13]) do
    redis.call('HDEL', KEYS[2], ARGV[at])
    at = at + 1
end
if ARGV[3] == '1' then
    redis.call('DEL', KEYS[6])
    redis.call('HSET', KEYS[5], 'asked', ARGV[5])
elseif not only_read then
    local number = string.match(new, '^[^:]+:(%d+):')
    redis.call('XADD', KEYS[3], 'MAXLEN', '~', 128, number .. '-0', 'version', new, 'changes', ARGV[8])
end
if ARGV[4] == '1' then
    count, bytes = journal_of(KEYS[5])
    count = math.min(count, most)
    redis.call('DEL', KEYS[4])
    redis.call('HDEL', KEYS[5], 'entries', 'bytes', 'max_requests', 'max_journal', 'max_worlds')
end
for _ = 1, tonumber(ARGV[14]) do
    redis.call('HSET', KEYS[5], ARGV[at], ARGV[at + 1])
    at = at + 2
end
local added = tonumber(ARGV[10])
if added > 0 then
    redis.call('XADD', KEYS[4], '*', 'number', ARGV[9], 'count', added, 'entries', ARGV[11])
    redis.call('HINCRBY', KEYS[5], 'bytes', #ARGV[11])
    local more = redis.call('HINCRBY', KEYS[5], 'entries', added) - most
    if more > 0 then
        lost = math.min(added, more)
        redis.call('HINCRBY', KEYS[5], 'max_requests', lost)
        count, bytes = count + lost, bytes + shorten(KEYS[4], KEYS[5], more, math.huge)
    end
end
for _, key in ipairs(KEYS) do
    redis.call('PEXPIRE', key, ARGV[7])
end
return {1, lost, count, bytes}
"""
)
"""Commits a change, or entries of the journal only. Returns 0 and the version that is there instead, or 1, how many
entries of the journal were forgotten for it, how many fewer there are in all, and the size of those that were
deleted: only those that were added together can be, so some are too many for a while."""

READ = (
    _LIFE
    + """
-- KEYS: version, contents, commits, lost, count
-- ARGV: known version or nothing
local now = redis.call('GET', KEYS[1]) or ''
if now == '' then
    redis.call('DEL', KEYS[5])
    return {'', redis.call('GET', KEYS[4]) or ''}
end
local from, to = string.match(ARGV[1], '^[^:]+:(%d+):'), string.match(now, '^[^:]+:(%d+):')
local more = tonumber(to) - tonumber(from or to)
if more > 0 and more < 128 and life(now) == life(ARGV[1]) then
    local commits, changes = redis.call('XRANGE', KEYS[3], from .. '-0', to .. '-0'), {}
    local is_ours = from == '1'
    for _, commit in ipairs(commits) do
        if commit[1] == from .. '-0' then
            is_ours = commit[2][2] == ARGV[1]
        else
            changes[#changes + 1] = commit[2][4]
        end
    end
    if is_ours and #changes == more then
        return {now, 'commits', changes}
    end
end
return {now, 'whole', redis.call('HGETALL', KEYS[2])}
"""
)
"""What has changed in a document since a version, which a Redis that has lost its last commits may never have had. The
count of a document that does not exist goes, since it would never expire."""

EVICT = """
-- KEYS: version, contents, commits, journal, count, lost
-- ARGV: reason, milliseconds to live
if redis.call('EXISTS', KEYS[1]) == 0 then
    return 0
end
local asked = tonumber(redis.call('HGET', KEYS[5], 'asked') or '0')
asked = asked + tonumber(redis.call('HGET', KEYS[5], ARGV[1]) or '0')
redis.call('DEL', unpack(KEYS))
if asked > 0 then
    redis.call('SET', KEYS[6], ARGV[1] .. '=' .. asked, 'PX', ARGV[2])
end
return 1
"""
"""Deletes a document for want of room, and notes how many requests were lost with it. Returns whether there was one."""

TRIM = (
    _JOURNAL
    + """
-- KEYS: journal, count
-- ARGV: bytes, reason, max_requests
local most, before = tonumber(ARGV[3]), journal_of(KEYS[2])
local bytes = shorten(KEYS[1], KEYS[2], math.huge, tonumber(ARGV[1]))
local lost = math.min(before, most) - math.min(journal_of(KEYS[2]), most)
if lost > 0 then
    redis.call('HINCRBY', KEYS[2], ARGV[2], lost)
end
return {lost, bytes}
"""
)
"""Deletes the oldest entries of a journal. Returns how many, and their size."""

ALL = {hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(): text for text in (COMMIT, READ, EVICT, TRIM)}
"""Digest, by which Redis knows a script -> the script."""
DIGEST = {text: digest for digest, text in ALL.items()}

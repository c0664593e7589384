"""What Redis does as one step: scripts, each about the keys of one document, which a cluster keeps together.

Redis does not undo what a script has done before an error. So each begins with what may be refused, for want of memory
or because this Redis takes no writes.
"""

import hashlib

_LIFE = "local function life(version) return string.match(version, '^[^:]+') end\n"
_SIZES = """
local function shorten(key, count)
    if count < 1 then return 0, 0 end
    local bytes, gone = 0, redis.call('XRANGE', key, '-', '+', 'COUNT', count)
    for _, entry in ipairs(gone) do
        bytes = bytes + #entry[2][4]
        redis.call('XDEL', key, entry[1])
    end
    return #gone, bytes
end
"""

COMMIT = (
    _LIFE
    + _SIZES
    + """
-- KEYS: version, contents, commits, journal, count, lost
-- ARGV: expected, new, whole, clears, asked, max_requests, milliseconds to live, changes as one value, how many keys
--       are set, how many are deleted, how many entries, how many reasons, then key, value ..., key ...,
--       number, entry ..., reason, number ...
local now, expected, new = redis.call('GET', KEYS[1]) or '', ARGV[1], ARGV[2]
local only_read = expected == new and new ~= ''
if now ~= expected and not (only_read and now ~= '' and life(now) == life(expected)) then
    return {0, now}
end
local lost, count, bytes = 0, 0, 0
if now ~= '' and (new == '' or ARGV[3] == '1') then
    count, bytes = shorten(KEYS[4], redis.call('XLEN', KEYS[4]))
    redis.call('DEL', unpack(KEYS))
end
if new == '' then
    return {1, 0, count, bytes}
end
if not only_read then
    redis.call('SET', KEYS[1], new)
end
local at = 13
for _ = 1, tonumber(ARGV[9]) do
    redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
    at = at + 2
end
for _ = 1, tonumber(ARGV[10]) do
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
    count, bytes = shorten(KEYS[4], redis.call('XLEN', KEYS[4]))
    redis.call('HDEL', KEYS[5], 'max_requests', 'max_journal', 'max_worlds')
end
for _ = 1, tonumber(ARGV[11]) do
    redis.call('XADD', KEYS[4], '*', 'number', ARGV[at], 'entry', ARGV[at + 1])
    at = at + 2
end
for _ = 1, tonumber(ARGV[12]) do
    redis.call('HSET', KEYS[5], ARGV[at], ARGV[at + 1])
    at = at + 2
end
local more = redis.call('XLEN', KEYS[4]) - tonumber(ARGV[6])
if more > 0 then
    local size
    lost, size = shorten(KEYS[4], more)
    redis.call('HINCRBY', KEYS[5], 'max_requests', lost)
    count, bytes = count + lost, bytes + size
end
for _, key in ipairs(KEYS) do
    redis.call('PEXPIRE', key, ARGV[7])
end
return {1, lost, count, bytes}
"""
)
"""Commits a change, or entries of the journal only. Returns 0 and the version that is there instead, or 1, how many
entries of the journal were forgotten for it, and how many went in all, with their size."""

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
    _SIZES
    + """
-- KEYS: journal, count
-- ARGV: bytes, reason
local lost, bytes = 0, 0
while bytes < tonumber(ARGV[1]) do
    local count, size = shorten(KEYS[1], 1)
    if count == 0 then break end
    lost, bytes = lost + count, bytes + size
end
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

"""Lines of an upload with which plainly nothing is wrong, read without the interpreter.

What is accepted, and what becomes of it, is what :func:`jobs.lines.judge` says. This reads those
lines of which most files consist, with the same result, and leaves every other to it: a test holds
the two against each other. Compiled by Numba (:mod:`jobs.compiled`), to which the innermost loops
are given as vectors of LLVM's.

JSON is read by its grammar (RFC 8259): each function begins at ``s[AT]``, and leaves it behind what
it has read. None accepts a newline, so none reads past the end of a line by more than the padding.
A body is copied meanwhile as orjson would write it: without spaces, and with no escape that need
not be. What is found is told by where it is: in the copy within a body, else in the text.
"""

import threading
from typing import Any

import numpy as np
import pyarrow as pa
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from jobs.compiled import compiled
from jobs.lines import MAX_CUSTOM_ID, PREVIEW, PROMPT_FIELD
from jobs.row_group import LINES
from jobs.splitter import Pieces

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]
# What is found of a line: the state below, its keys, its spans, and what is open.
Work = tuple[Numbers, Numbers, Numbers, Numbers]

# Bytes that are read and written at a time, so that up to one less is too many.
_WIDE = 32
_PADDING = 2 * _WIDE

# The state: where in the text; where in the copy, since where in the text nothing was copied, and
# whether anything is; where the next body and the next extra go, and whether the line has one.
AT, OUT, RUN, COPYING, BODY_END, EXTRA_END, HAS_EXTRA = range(7)
# A key of an object that is open.
START, LENGTH, WORD = range(3)
# The value of a key that matters, and of which kind a value can be.
BEGIN, END, KIND = range(3)
BAD, STRING, OBJECT, ARRAY, OTHER = range(5)
# An object or array that is open: how it ends, what it is, its first key, and which value it is at.
CLOSE, WHERE, FIRST, SLOT = range(4)
# More keys than this of an object and those around it, or more levels, are left to a close look.
_MOST_KEYS = 120
_MOST_LEVELS = 60

# Texts of a block are written into memory that their thread keeps, and then taken out of it: what
# Arrow frees stays with the process for a while, which is six times a block otherwise. Larger
# blocks, of very long lines, get their own.
_TEXTS = 6
_KEPT_BYTES = 4 * 2**20
_kept = threading.local()

# The keys that matter, and in which object they do.
_RECORD = ("custom_id", "method", "url", "body")
_NAMES = (*_RECORD, "model", "messages", "prompt", "input", "role", "content")
CUSTOM_ID, METHOD, URL, BODY, MODEL, MESSAGES, PROMPT, INPUT, ROLE, CONTENT = range(len(_NAMES))
IN_RECORD, IN_BODY, IN_MESSAGES, IN_MESSAGE, ELSEWHERE = range(5)
_FROM = np.array([CUSTOM_ID, MODEL, 0, ROLE, 0])
_TO = np.array([MODEL, ROLE, 0, len(_NAMES), 0])


def _word(text: str) -> int:
    return int.from_bytes(text[:8].encode(), "little")


# A name of up to nine bytes is told by its first eight, its last and its length.
_WORDS = np.array([_word(name) for name in _NAMES], np.int64)
_LAST = np.array([ord(name[-1]) for name in _NAMES])
_LENGTHS = np.array([len(name) for name in _NAMES])

_POST = np.array(list(b"POST"), np.uint8)
# The text of the prompt, by the number of the URL.
_PROMPTS = np.array(
    [CONTENT if name == "messages" else _NAMES.index(name) for name in PROMPT_FIELD.values()]
)
_URLS = np.array([list(url.ljust(32).encode()) for url in PROMPT_FIELD], np.uint8)
_URL_LENGTHS = np.array([len(url) for url in PROMPT_FIELD])

_HEX = np.full(256, -1)
_HEX[list(b"0123456789abcdefABCDEF")] = [*range(16), *range(10, 16)]
# What stands behind a backslash and is written so by orjson as well; else zero.
_ESCAPED = np.zeros(256, np.uint8)
_ESCAPED[list(b'"\\bfnrt')] = list(b'"\\\b\f\n\r\t')

# A double keeps so many digits of any number.
_MOST_DIGITS = 15

_TRUE, _NULL, _FALSE = (np.uint64(_word(literal)) for literal in ("true", "null", "false"))
_FOUR, _FIVE = np.uint64(2**32 - 1), np.uint64(2**40 - 1)


def _intrinsic(function: Any) -> Any:
    return intrinsic(function)


_BLOCK = ir.VectorType(ir.IntType(8), _WIDE)


def _pointer(context: Any, builder: Any, signature: Any, args: Any, i: int, kind: Any) -> Any:
    """To a ``kind`` in the array that is argument ``i``, at the index that follows it."""
    data = context.make_array(signature.args[i])(context, builder, args[i]).data
    return builder.bitcast(builder.gep(data, [args[i + 1]]), kind.as_pointer())


@_intrinsic
def _load(_context: Any, array: Any, at: Any) -> Any:
    """The eight bytes of an array from ``at`` on."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _pointer(context, builder, signature, args, 0, ir.IntType(64))
        return builder.load(place, align=1)

    return types.uint64(array, at), code


@_intrinsic
def _move(_context: Any, array: Any, at: Any, out: Any, to: Any) -> Any:
    """Copy :data:`_WIDE` bytes from ``array[at:]`` to ``out[to:]``."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source = _pointer(context, builder, signature, args, 0, _BLOCK)
        target = _pointer(context, builder, signature, args, 2, _BLOCK)
        builder.store(builder.load(source, align=1), target, align=1)
        return context.get_dummy_value()

    return types.void(array, at, out, to), code


def _plain_code(*, ascii_only: bool) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        block = builder.load(_pointer(context, builder, signature, args, 0, _BLOCK), align=1)
        quote, backslash, blank = (_BLOCK([ord(c)] * _WIDE) for c in '"\\ ')
        # As a signed number, a byte that is not ASCII is less than a blank as well.
        less = builder.icmp_signed if ascii_only else builder.icmp_unsigned
        found = less("<", block, blank)
        for character in (quote, backslash):
            found = builder.or_(found, builder.icmp_unsigned("==", block, character))
        bits = builder.bitcast(found, ir.IntType(_WIDE))
        return builder.zext(builder.cttz(bits, ir.IntType(1)(0)), ir.IntType(64))

    return code


@_intrinsic
def _plain(_context: Any, array: Any, at: Any) -> Any:
    """How many bytes from ``at`` on come before a quote, a backslash or a control character, of
    :data:`_WIDE` that are looked at."""
    return types.int64(array, at), _plain_code(ascii_only=False)


@_intrinsic
def _plain_ascii(_context: Any, array: Any, at: Any) -> Any:
    """The same, before one of these or a byte that is not ASCII."""
    return types.int64(array, at), _plain_code(ascii_only=True)


@compiled
def _until_special(text: Bytes, at: int) -> int:
    while True:
        plain = _plain(text, at)
        at += plain
        if plain < _WIDE:
            return at


@compiled
def _copy(text: Bytes, start: int, end: int, out: Bytes, at: int) -> int:
    """Copy ``text[start:end]`` to ``out[at:]``. Returns where it ends there."""
    for offset in range(0, end - start, _WIDE):
        _move(text, start + offset, out, at + offset)
    return at + end - start


@compiled
def _same(text: Bytes, start: int, other: Bytes, begin: int, length: int) -> bool:
    for i in range(length):  # noqa: SIM110 (Numba knows no generators)
        if text[start + i] != other[begin + i]:
            return False
    return True


@compiled
def _flush(text: Bytes, out: Bytes, s: Numbers) -> None:
    """Copy what has not been copied yet."""
    if s[COPYING]:
        s[OUT] = _copy(text, s[RUN], s[AT], out, s[OUT])
        s[RUN] = s[AT]


@compiled
def _place(s: Numbers) -> int:
    """Where in the copy what is next will be; in the text where nothing is copied."""
    return s[OUT] + s[AT] - s[RUN]


@compiled
def _space(text: Bytes, out: Bytes, s: Numbers) -> None:
    at = s[AT]
    if text[at] > ord(" "):
        return
    _flush(text, out, s)
    while text[at] == ord(" ") or text[at] == ord("\t") or text[at] == ord("\r"):
        at += 1
    s[AT] = at
    if s[COPYING]:
        s[RUN] = at


@compiled
def _four_digits(text: Bytes, at: int) -> int:
    value: Any = 0
    for i in range(4):
        digit = _HEX[text[at + i]]
        if digit < 0:
            return -1
        value = value * 16 + digit
    return value


@compiled
def _put(out: Bytes, at: int, code: int) -> int:
    """Write a character as UTF-8. Returns where it ends."""
    if code < 0x80:
        out[at] = code
        return at + 1
    if code < 0x800:
        out[at] = 0xC0 | code >> 6
    elif code < 0x10000:
        out[at] = 0xE0 | code >> 12
        out[at + 1] = 0x80 | (code >> 6 & 0x3F)
        at += 1
    else:
        out[at] = 0xF0 | code >> 18
        out[at + 1] = 0x80 | (code >> 12 & 0x3F)
        out[at + 2] = 0x80 | (code >> 6 & 0x3F)
        at += 2
    out[at + 1] = 0x80 | (code & 0x3F)
    return at + 2


@compiled
def _unescape(text: Bytes, out: Bytes, s: Numbers) -> bool:
    """Copy the character of an escape that need not be one."""
    _flush(text, out, s)
    at = s[AT]
    if text[at + 1] == ord("/"):
        code, at = ord("/"), at + 2
    elif text[at + 1] == ord("u"):
        code, at = _four_digits(text, at + 2), at + 6
        if 0xD800 <= code < 0xDC00 and text[at] == ord("\\") and text[at + 1] == ord("u"):
            low, at = _four_digits(text, at + 2), at + 6
            if not 0xDC00 <= low < 0xE000:
                return False
            code = 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00
    else:
        return False
    if code < ord(" ") or code == ord('"') or code == ord("\\") or 0xD800 <= code < 0xE000:
        return False
    s[OUT] = _put(out, s[OUT], code)
    s[AT] = s[RUN] = at
    return True


@compiled
def _string(text: Bytes, out: Bytes, s: Numbers) -> int:
    at = s[AT] + 1
    while True:
        at = _until_special(text, at)
        if text[at] == ord('"'):
            s[AT] = at + 1
            return STRING
        if text[at] != ord("\\"):
            return BAD
        if _ESCAPED[text[at + 1]]:
            at += 2
            continue
        s[AT] = at
        if not s[COPYING] or not _unescape(text, out, s):
            return BAD
        at = s[AT]


@compiled
def _digits(text: Bytes, at: int) -> int:
    while ord("0") <= text[at] <= ord("9"):
        at += 1
    return at


@compiled
def _number(text: Bytes, s: Numbers) -> int:
    """A number that a double keeps, and that is written as orjson would."""
    start = s[AT]
    if text[start] == ord("-"):
        start += 1
        if text[start] == ord("0"):
            return BAD
    at = _digits(text, start)
    if at == start or (text[start] == ord("0") and at > start + 1):
        return BAD
    if text[at] == ord("."):
        fraction = at + 1
        at = _digits(text, fraction)
        if at == fraction or (text[at - 1] == ord("0") and at > fraction + 1):
            return BAD
        # What is less than 0.0001 is written with an exponent.
        if at > fraction + 4 and text[start] == ord("0"):
            return BAD
    if at - start > _MOST_DIGITS:
        return BAD
    s[AT] = at
    return OTHER


@compiled
def _literal(text: Bytes, s: Numbers) -> int:
    word = _load(text, s[AT])
    if word & _FOUR == _TRUE or word & _FOUR == _NULL:
        s[AT] += 4
    elif word & _FIVE == _FALSE:
        s[AT] += 5
    else:
        return BAD
    return OTHER


@compiled
def _key(text: Bytes, out: Bytes, work: Work, first: int, last: int) -> bool:
    """A key and its colon; it is none of ``keys[first:last]``, and becomes the next of these."""
    s, keys, _, _ = work
    start = s[AT] + 1
    if text[start - 1] != ord('"') or last == _MOST_KEYS:
        return False
    end = _until_special(text, start)
    if text[end] != ord('"'):
        return False
    length = end - start
    word = _load(text, start)
    if length < 8:
        word &= (np.uint64(1) << np.uint64(8 * length)) - np.uint64(1)
    keys[last, START], keys[last, LENGTH], keys[last, WORD] = start, length, word
    for i in range(first, last):
        if (
            keys[i, WORD] == keys[last, WORD]
            and keys[i, LENGTH] == length
            and _same(text, start, text, keys[i, START], length)
        ):
            return False
    s[AT] = end + 1
    _space(text, out, s)
    if text[s[AT]] != ord(":"):
        return False
    s[AT] += 1
    _space(text, out, s)
    return True


@compiled
def _slot(text: Bytes, key: Numbers, where: int) -> int:
    """Which of the keys that matter there it is, or -1."""
    for slot in range(_FROM[where], _TO[where]):
        if (
            key[WORD] == _WORDS[slot]
            and key[LENGTH] == _LENGTHS[slot]
            and text[key[START] + key[LENGTH] - 1] == _LAST[slot]
        ):
            return slot
    return -1


@compiled
def _next(text: Bytes, out: Bytes, s: Numbers, close: int) -> int:
    """After an element: 1 if another follows, 0 if that was the last, -1 if neither is so."""
    _space(text, out, s)
    c = text[s[AT]]
    s[AT] += 1
    if c == close:
        return 0
    if c != ord(","):
        return -1
    _space(text, out, s)
    return 1


@compiled
def _found(s: Numbers, spans: Numbers, slot: int, kind: int) -> None:
    if slot >= 0:
        spans[slot, END], spans[slot, KIND] = _place(s), kind


@compiled
def _value(text: Bytes, out: Bytes, work: Work, where: int, last: int) -> int:
    """A value of any kind; ``keys[:last]`` are those of the objects around it.

    A loop, as Numba cannot keep compiled recursion on disk.
    """
    s, keys, spans, frames = work
    depth = 0
    while True:
        # A whole value, or the beginning of one.
        c = text[s[AT]]
        if where == IN_MESSAGE and c != ord("{"):
            return BAD
        if c == ord("{") or c == ord("["):
            if depth == _MOST_LEVELS:
                return BAD
            frames[depth, CLOSE], frames[depth, WHERE], frames[depth, FIRST] = c + 2, where, last
            depth += 1
            if where == IN_MESSAGE:
                spans[ROLE, KIND] = spans[CONTENT, KIND] = BAD
            s[AT] += 1
            _space(text, out, s)
            more = 1
            if text[s[AT]] == c + 2:
                s[AT] += 1
                more = 0
        else:
            if c == ord('"'):
                kind = _string(text, out, s)
            elif c == ord("t") or c == ord("f") or c == ord("n"):
                kind = _literal(text, s)
            else:
                kind = _number(text, s)
            if kind == BAD or depth == 0:
                return kind
            _found(s, spans, frames[depth - 1, SLOT], kind)
            more = _next(text, out, s, frames[depth - 1, CLOSE])
        # What ends here.
        while more == 0:
            depth -= 1
            where, last = frames[depth, WHERE], frames[depth, FIRST]
            if where == IN_MESSAGE and (spans[ROLE, KIND] != STRING or not spans[CONTENT, KIND]):
                return BAD
            kind = OBJECT if frames[depth, CLOSE] == ord("}") else ARRAY
            if depth == 0:
                return kind
            _found(s, spans, frames[depth - 1, SLOT], kind)
            more = _next(text, out, s, frames[depth - 1, CLOSE])
        if more < 0:
            return BAD
        # What is next, up to its value.
        frame = frames[depth - 1]
        slot, where = -1, ELSEWHERE
        if frame[CLOSE] == ord("}"):
            if not _key(text, out, work, frame[FIRST], last):
                return BAD
            slot = _slot(text, keys[last], frame[WHERE])
            last += 1
            if slot >= 0:
                spans[slot, BEGIN] = _place(s)
            if slot == MESSAGES:
                where = IN_MESSAGES
        elif frame[WHERE] == IN_MESSAGES:
            where = IN_MESSAGE
        frame[SLOT] = slot


@compiled
def _record(text: Bytes, body: Bytes, extra: Bytes, work: Work) -> bool:
    """A line. Its body is copied to ``body``, and what is beside it to ``extra``."""
    s, keys, spans, _ = work
    if text[s[AT]] != ord("{"):
        return False
    s[AT] += 1
    _space(text, body, s)
    more, last = 1, 0
    while more == 1:
        start = s[AT]
        if not _key(text, body, work, 0, last):
            return False
        slot = _slot(text, keys[last], IN_RECORD)
        last += 1
        begin = s[AT]
        if slot == BODY:
            s[COPYING], s[OUT], s[RUN] = 1, s[BODY_END], begin
            kind = _value(text, body, work, IN_BODY, last)
            _flush(text, body, s)
            s[BODY_END] = s[OUT]
        elif slot >= 0:
            kind = _value(text, body, work, ELSEWHERE, last)
        else:
            at = s[EXTRA_END]
            extra[at] = ord(",") if s[HAS_EXTRA] else ord("{")
            at = _copy(text, start, start + keys[last - 1, LENGTH] + 2, extra, at + 1)
            extra[at] = ord(":")
            s[COPYING], s[OUT], s[RUN] = 1, at + 1, begin
            kind = _value(text, extra, work, ELSEWHERE, last)
            _flush(text, extra, s)
            s[EXTRA_END], s[HAS_EXTRA] = s[OUT], 1
        s[COPYING] = s[OUT] = s[RUN] = 0
        if kind == BAD:
            return False
        if slot >= 0:
            spans[slot, BEGIN], spans[slot, END], spans[slot, KIND] = begin, s[AT], kind
        more = _next(text, body, s, ord("}"))
    if s[HAS_EXTRA]:
        extra[s[EXTRA_END]] = ord("}")
        s[EXTRA_END] += 1
    _space(text, body, s)
    return more == 0 and text[s[AT]] == ord("\n")


@compiled
def _is_custom_id(text: Bytes, start: int, end: int) -> bool:
    """Printable ASCII, and not only spaces."""
    visible = False
    for at in range(start, end):
        if text[at] > ord("~") or text[at] == ord("\\"):
            return False
        visible |= text[at] != ord(" ")
    return visible


@compiled
def _prompt(text: Bytes, spans: Numbers, urls: tuple[Bytes, Numbers, Numbers], most: int) -> int:
    """Which span is the prompt of a record that is a request; -1 if it is none."""
    for slot in (CUSTOM_ID, METHOD, URL):
        if spans[slot, KIND] != STRING:
            return -1
    method, start, end = spans[METHOD, BEGIN] + 1, spans[URL, BEGIN] + 1, spans[URL, END] - 1
    if spans[METHOD, END] - 1 - method != len("POST") or not _same(text, method, _POST, 0, 4):
        return -1
    begin, stop = spans[CUSTOM_ID, BEGIN] + 1, spans[CUSTOM_ID, END] - 1
    if stop - begin > most or not _is_custom_id(text, begin, stop):
        return -1
    letters, lengths, prompts = urls
    for url in range(len(letters)):
        if end - start == lengths[url] and _same(text, start, letters[url], 0, end - start):
            prompt = prompts[url]
            if (
                spans[BODY, KIND] == OBJECT
                and (prompt != CONTENT or spans[MESSAGES, KIND] == ARRAY)
                and spans[prompt, KIND] == STRING
                and spans[prompt, END] > spans[prompt, BEGIN] + 2
            ):
                return prompt
    return -1


@compiled
def _text(body: Bytes, span: Numbers, most: int, column: Bytes, out: int) -> int:
    """Up to ``most`` characters of a string of ``body``, without escapes. Returns where it ends."""
    at, end, left = span[BEGIN] + 1, span[END] - 1, most
    while at < end and left:
        plain = min(_plain_ascii(body, at), left, end - at)
        if plain:
            _move(body, at, column, out)
            at, out, left = at + plain, out + plain, left - plain
            continue
        c = body[at]
        if c == ord("\\"):
            at += 1
            c = _ESCAPED[body[at]]
        column[out] = c
        at, out = at + 1, out + 1
        # A character ends where the next byte does not continue it.
        if body[at] & 0xC0 != 0x80:
            left -= 1
    return out


@compiled
def _copy_string(text: Bytes, span: Numbers, column: Bytes, out: int) -> int:
    return _copy(text, span[BEGIN] + 1, span[END] - 1, column, out)


@compiled
def _newlines(text: Bytes) -> int:
    count = 0
    for at in range(len(text)):  # by an index, so that it is done for many at a time
        count += text[at] == ord("\n")
    return count


@compiled
def _requests(
    text: Bytes,
    stop: int,
    number: int,
    limits: tuple[int, int, int],
    urls: tuple[Bytes, Numbers, Numbers],
    columns: tuple[Bytes, ...],
    ends: Numbers,
    present: NDArray[np.bool_],
    numbers: Numbers,
    others: Numbers,
    work: Work,
) -> tuple[int, int]:
    """The lines of ``text[:stop]``: how many are in the columns, and how many are in ``others``."""
    custom_id, url, body, preview, model, extra = columns
    s, _, spans, _ = work
    most_bytes, most_of_id, most_of_preview = limits
    start = count = left = 0
    while start < stop:
        body_end, extra_end = s[BODY_END], s[EXTRA_END]
        s[AT], s[HAS_EXTRA] = start, 0
        spans[:, KIND] = BAD
        prompt = -1
        if _record(text, body, extra, work) and s[AT] - start <= most_bytes:
            prompt = _prompt(text, spans, urls, most_of_id)
        if prompt < 0:
            s[BODY_END], s[EXTRA_END] = body_end, extra_end
            end = start
            while text[end] != ord("\n"):
                end += 1
            others[left, 0], others[left, 1], others[left, 2] = number, start, end
            left += 1
        else:
            end = s[AT]
            was, now = ends[count], ends[count + 1]
            now[0] = _copy_string(text, spans[CUSTOM_ID], custom_id, was[0])
            now[1] = _copy_string(text, spans[URL], url, was[1])
            now[2] = s[BODY_END]
            now[3] = _text(body, spans[prompt], most_of_preview, preview, was[3])
            now[4] = was[4]
            present[count, 0] = spans[MODEL, KIND] == STRING
            if present[count, 0]:
                now[4] = _text(body, spans[MODEL], stop, model, was[4])
            now[5] = s[EXTRA_END]
            present[count, 1] = s[HAS_EXTRA]
            numbers[count] = number
            count += 1
        start = end + 1
        number += 1
    return count, left


def load() -> None:
    """Have the compiled code ready: half a second, or a quarter of a minute the first time."""
    scan([b"{}\n"], 1, 2)


def scan(pieces: Pieces, first: int, most_bytes: int) -> tuple[pa.Table, list[tuple[int, bytes]]]:
    """The requests on lines that end with a newline, and the other lines, numbered from ``first``.

    The table is one of :data:`LINES`. A line longer than ``most_bytes`` is one of the others. All
    are where any is not UTF-8.
    """
    block = b"".join([*pieces, bytes(_PADDING)])
    assert len(block) < 2**31, "Arrow's strings end there"
    text = np.frombuffer(block, np.uint8)
    most = _newlines(text)
    columns = _columns(len(text))
    ends, numbers = np.zeros((most + 1, len(columns)), np.int64), np.empty(most, np.int64)
    present, others = np.empty((most, 2), np.bool_), np.empty((most, 3), np.int64)
    work = (
        np.zeros(HAS_EXTRA + 1, np.int64),
        np.empty((_MOST_KEYS, WORD + 1), np.int64),
        np.empty((len(_NAMES), KIND + 1), np.int64),
        np.empty((_MOST_LEVELS, SLOT + 1), np.int64),
    )
    stop = len(block) - _PADDING
    limits, urls = (most_bytes, MAX_CUSTOM_ID, PREVIEW), (_URLS, _URL_LENGTHS, _PROMPTS)
    count, left = _requests(
        text, stop, first, limits, urls, columns, ends, present, numbers, others, work
    )
    sizes = ends[count].tolist()
    buffers = [_taken(column[:size]) for column, size in zip(columns, sizes, strict=True)]
    offsets = np.ascontiguousarray(ends[: count + 1].T, np.int32)
    valid = [None] * 4 + [np.packbits(column, bitorder="little") for column in present[:count].T]
    strings = map(_strings, buffers, offsets, valid)
    table = pa.table([pa.array(numbers[:count]), *strings], schema=LINES)
    try:
        table.validate(full=not block.isascii())
    except pa.ArrowInvalid:  # not UTF-8
        return LINES.empty_table(), list(enumerate(block[:stop].split(b"\n")[:-1], first))
    return table, [(number, block[start:end]) for number, start, end in others[:left].tolist()]


def _columns(size: int) -> tuple[Bytes, ...]:
    """Room for the texts of ``size`` bytes of lines, until this thread asks for the next."""
    if size > _KEPT_BYTES:
        return tuple(np.empty(size, np.uint8) for _ in range(_TEXTS))
    if not hasattr(_kept, "columns"):
        _kept.columns = tuple(np.empty(_KEPT_BYTES, np.uint8) for _ in range(_TEXTS))
    return _kept.columns


def _taken(text: Bytes) -> pa.Buffer:
    buffer = pa.allocate_buffer(len(text))
    np.frombuffer(buffer, np.uint8)[:] = text
    return buffer


def _strings(data: Any, offsets: Any, valid: Bytes | None) -> pa.Array:
    buffers = [None if part is None else pa.py_buffer(part) for part in (valid, offsets, data)]
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)

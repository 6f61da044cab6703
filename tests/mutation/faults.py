"""Finds the places of a C file where one small fault can be put, and draws from them reproducibly.

Kinds: negate (a condition), drop (a check `if (...) return/goto/continue/break`), rel (< <= == ...), logic (&& ||), operand (one
side of && or || left out), arith, const (a neighbour), stmt (a call or an assignment left out), jump (goto/break/continue left
out), ret (return RC_OK, true or false instead), early (RC_OK at a function's start), memlen (the length of memcmp/memcpy/memset
one less, or halved), loop (first or last element skipped), cond (the two sides of ?: swapped).
"""
import re

MAX_PER_LINE = 2

def masked(src):
    """src with comments, strings, character constants and preprocessor lines blanked, at the same offsets."""
    out = list(src)
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|^[ \t]*#(?:[^\n\\]|\\.|\\\n)*'
    for m in re.finditer(pattern, src, re.S | re.M):
        for i in range(m.start(), m.end()):
            if out[i] != '\n':
                out[i] = ' ' if src[m.start()] != '"' else '_'
    return ''.join(out)


def close_of(text, at):
    """Offset of the parenthesis that closes the one at `at`."""
    depth = 0
    for i in range(at, len(text)):
        depth += text[i] in '([{'
        depth -= text[i] in ')]}'
        if depth == 0:
            return i
    return -1


def functions(text):
    """(start, end, kind of result) of each function's body."""
    depth, out, start = 0, [], None
    for i, c in enumerate(text):
        if c == '{':
            if depth == 0 and text[:i].rstrip().endswith(')'):
                start = i
            depth += 1
        elif c == '}':
            depth -= 1
            if depth == 0 and start is not None:
                head = text[max(text.rfind(';', 0, start), text.rfind('}', 0, start)) + 1:start]
                kind = 'rc' if re.search(r'\brc_t\s+\w+\s*\(', head) else 'bool' if re.search(r'\bbool\s+\w+\s*\(', head) else ''
                out.append((start, i, kind))
                start = None
    return out


def operand_end(text, i, step):
    """End of the operand of && or || that begins at i, going in direction step."""
    depth = 0
    openers, closers = ('([{', ')]}') if step > 0 else (')]}', '([{')
    while 0 <= i < len(text):
        c = text[i]
        if depth == 0:
            if c in closers or c in ';,?{}' or (c == ':' and step < 0):
                return i
            if text[i:i + 2] in ('&&', '||') if step > 0 else text[i - 1:i + 1] in ('&&', '||'):
                return i
            if c == '=' and step < 0 and text[i - 1] not in '=!<>' and text[i + 1] != '=':
                return i
            if step < 0 and text[i - 5:i + 1] == 'return':
                return i
        depth += c in openers
        depth -= c in closers
        i += step
    return i


def candidates(src):
    """All faults: (op, start, end, new text)."""
    text = masked(src)
    out = []

    def add(op, start, end, new):
        if src[start:end] != new:
            out.append((op, start, end, new))

    for start, end, kind in functions(text):
        body = range(start, end)

        def find(pattern):
            return (m for m in re.compile(pattern).finditer(text, start, end))

        for m in find(r'\b(if|while)\s*\('):
            a, b = m.end() - 1, close_of(text, m.end() - 1)
            inner = src[a + 1:b]
            add('negate', a + 1, b, '!(%s)' % inner)
            if m[1] == 'if' and re.match(r'\)\s*(return|goto|continue|break)\b', text[b:b + 200]):
                add('drop', a + 1, b, '(%s) && 0' % inner)
        for m in find(r'(?<![<>\-=!+*/&|^])(<=|>=|==|!=|<|>)(?![<>=])'):
            for new in {'<': ['<='], '<=': ['<'], '>': ['>='], '>=': ['>'], '==': ['!='], '!=': ['==']}[m[1]]:
                add('rel', m.start(), m.end(), new)
        for m in find(r'&&|\|\|'):
            add('logic', m.start(), m.end(), '||' if m[0] == '&&' else '&&')
            right = operand_end(text, m.end(), 1)
            left = operand_end(text, m.start() - 1, -1)
            word = '%s(%s, 1)' if m[0] == '&&' else '%s(%s, 0)'
            for a, b in ((m.end(), right), (left + 1, m.start())):
                bare = src[a:b]
                lead = bare[:len(bare) - len(bare.lstrip())]
                if bare.strip():
                    add('operand', a, b, word % (lead, '(void)(%s)' % bare.strip()) + ' ')
        for m in find(r'(?<= )(\+|-|\*|/|%|\||&|<<|>>|\+=|-=)(?= )'):
            add('arith', m.start(), m.end(), {'+': '-', '-': '+', '*': '+', '/': '*', '%': '/', '|': '&', '&': '|',
                                              '<<': '>>', '>>': '<<', '+=': '-=', '-=': '+='}[m[1]])
        for m in find(r'(?<![\w.])(0x[0-9a-fA-F]+|\d+)([uUlL]*)(?![\w.])'):
            line = text[text.rfind('\n', 0, m.start()) + 1:m.start()]
            if re.match(r'\s+(static |const )*\w+ \**\w+(\[\w+\])*\[$', line):
                continue
            octal = re.fullmatch(r'0[0-7]+', m[1])
            n = int(m[1], 8 if octal else 0)
            form = '0x%x' if m[1].startswith('0x') else '0%o' if octal else '%d'
            for new in ([n + 1] if n == 0 else [n + 1, n - 1]):
                add('const', m.start(), m.end(), form % new + m[2])
        for m in find(r'\bfor\s*\('):
            a, b = m.end() - 1, close_of(text, m.end() - 1)
            first = text.find(';', a, b)
            second = text.find(';', first + 1, b)
            zero = re.search(r'= 0$', text[a:first])
            if zero:
                add('loop', first - 1, first, '1')
            test = re.match(r' (\w+) < (.+)$', src[first + 1:second], re.S)
            if test:
                add('loop', first + 1, second, ' %s + 1 < %s' % (test[1], test[2]))
        for m in find(r'\bmem(cmp|cpy|set|move)\s*\('):
            b = close_of(text, m.end() - 1)
            comma = operand_comma(text, m.end(), b)
            if comma:
                length = src[comma + 1:b]
                add('memlen', comma + 1, b, ' (%s) %s' % (length.strip(), '- 1' if m[1] != 'cmp' else '/ 2'))
                if m[1] == 'cmp':
                    add('memlen', comma + 1, b, ' (%s) - 1' % length.strip())
        for m in find(r'\breturn\b([^;]*);'):
            value = src[m.start(1):m.end(1)].strip()
            if kind == 'rc' and value != 'RC_OK':
                add('ret', m.start(), m.end(), 'return (void)(%s), RC_OK;' % value)
            if kind == 'bool':
                for new in ('true', 'false'):
                    if value != new:
                        add('ret', m.start(), m.end(), 'return (void)(%s), %s;' % (value, new))
        if kind == 'rc':
            add('early', start, start + 1, '{ return RC_OK;')
        for m in find(r'\b(goto \w+|break|continue);'):
            add('jump', m.start(), m.end(), ';')
        for m in find(r'(?<=[;{})])(\s+)([A-Za-z_*(][^;{}]*);'):
            s = m[2]
            if re.match(r'(return|goto|break|continue|case|default|else|do|static|const|typedef|struct|for|if|while|switch)\b', s):
                continue
            if re.match(r'(\w+ \**\w+|\w+ \*+\w+)\s*(=|\[|$|,)', s):
                continue  # a declaration
            if '=' not in s and '(' not in s and '++' not in s and '--' not in s:
                continue
            if re.match(r'\*?why = "', src[m.start(2):m.end()]):
                continue  # only a message
            add('stmt', m.start(2), m.end(), ';' + '\n' * s.count('\n'))
        for m in find(r'\bif\s*\(|\bwhile\s*\(|\bfor\s*\('):  # the statement that hangs on a condition, without braces
            b = close_of(text, m.end() - 1)
            s = re.match(r'\s*([A-Za-z_*(][^;{}]*);', text[b + 1:end])
            if s and not re.match(r'(return|goto|break|continue|for|if|while|switch|do)\b', s[1]):
                add('stmt', b + 1 + s.start(1), b + 1 + s.end(), ';' + '\n' * s[1].count('\n'))
        for m in find(r' \? '):
            colon, finish = colon_of(text, m.end())
            if colon:
                yes, no = src[m.end():colon].strip(), src[colon + 1:finish].strip()
                add('cond', m.end(), finish, '%s : %s' % (no, yes))
    for m in re.finditer(r'^#define \w+ (\d+)([uUlL]*)(?=\s|$)', src, re.M):
        for new in (int(m[1]) + 1, int(m[1]) - 1):
            out.append(('const', m.start(1), m.end(2), str(new) + m[2]))
    return sorted(set(out))


def operand_comma(text, at, end):
    """The last comma at the top level of an argument list."""
    depth, last = 0, None
    for i in range(at, end):
        depth += text[i] in '([{'
        depth -= text[i] in ')]}'
        if depth == 0 and text[i] == ',':
            last = i
    return last


def colon_of(text, at):
    """The colon of a ?: whose first branch begins at `at`, and where its second one ends."""
    depth, nested, colon = 0, 0, None
    for i in range(at, min(len(text), at + 400)):
        c = text[i]
        if depth == 0 and (c in ')];' or (c == ',' and colon)):
            return (colon, i) if colon else (None, None)
        depth += c in '([{'
        depth -= c in ')]}'
        if depth == 0 and c == '?':
            nested += 1
        if depth == 0 and c == ':':
            if nested == 0 and colon is None:
                colon = i
            elif nested:
                nested -= 1
    return None, None


WEIGHT = {'drop': 3, 'operand': 3, 'rel': 2, 'stmt': 2, 'ret': 2}


def draw(src, rng, ops):
    """Faults in the order in which they are tried: round after round over the kinds."""
    pools = {}
    for c in candidates(src):
        if not ops or c[0] in ops:
            pools.setdefault(c[0], []).append(c)
    for p in pools.values():
        rng.shuffle(p)
    lines = {}
    while any(pools.values()):
        order = [op for op in sorted(pools) for _ in range(WEIGHT.get(op, 1))]
        rng.shuffle(order)
        for op in order:
            while pools[op]:
                c = pools[op].pop()
                line = src.count('\n', 0, c[1]) + 1
                if lines.get(line, 0) < MAX_PER_LINE:
                    lines[line] = lines.get(line, 0) + 1
                    yield c, line
                    break

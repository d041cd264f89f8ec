"""Splits C++ into tokens and says which of them a fault may be planted in."""
import bisect
import dataclasses
import re

TOKEN = re.compile(r"""
    (?P<comment>//[^\n]*|/\*.*?\*/)
  | (?P<raw>(?:u8|[uUL])?R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)")
  | (?P<string>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*")
  | (?P<char>(?:u8|[uUL])?'(?:\\.|[^'\\\n])+')
  | (?P<directive>^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)
  | (?P<number>\.?\d(?:'?[\w.])*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<sign><=>|<<=|>>=|->\*|\.\.\.|->|\+\+|--|&&|\|\||==|!=|<=|>=|::|<<|>>|[-+*/%&|^]=|[^\sA-Za-z_0-9])
""", re.VERBOSE | re.DOTALL | re.MULTILINE)
OPENING, CLOSING = "([{", ")]}"
# Calls whose arguments need no test: log messages, and conditions that the compiler proves.
UNTOUCHED_CALLS = {"static_assert", "assert", "log", "warn_of_few_partitions"}
# The words that may precede the brace of a block of statements, as well as `)`.
BLOCK_WORDS = {"else", "do", "try", "const", "noexcept", "override", "mutable", "final"}


@dataclasses.dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


class Source:
    """The tokens of one file without its comments, the brackets that belong together, and what must be left alone."""

    def __init__(self, text):
        self.text = text
        self.tokens = [Token(m.lastgroup if m.lastgroup != "delimiter" else "raw", m.group(), m.start(), m.end())
                       for m in TOKEN.finditer(text) if not m["comment"]]
        self.partner = self._match_brackets()
        self._line_starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self._untouched = self._find_untouched()

    def _match_brackets(self):
        partner, open_ones = {}, []
        for i, token in enumerate(self.tokens):
            if token.kind != "sign":
                continue
            if token.text in OPENING:
                open_ones.append(i)
            elif token.text in CLOSING and open_ones:
                partner[i] = open_ones.pop()
                partner[partner[i]] = i
        return partner

    def _find_untouched(self):
        spans = [(t.start, t.end) for t in self.tokens if t.kind == "directive"]
        for i, token in enumerate(self.tokens):
            if token.text in UNTOUCHED_CALLS and self.text_at(i + 1) == "(" and i + 1 in self.partner:
                spans.append((token.start, self.tokens[self.partner[i + 1]].end))
        return sorted(spans)

    def is_untouched(self, token):
        place = bisect.bisect_right(self._untouched, (token.start, len(self.text))) - 1
        # An outer span may begin before an inner one; spans are few, so all that begin earlier are asked.
        return any(token.start < end for _, end in self._untouched[:place + 1])

    def text_at(self, i):
        return self.tokens[i].text if 0 <= i < len(self.tokens) else ""

    def line_of(self, place):
        return bisect.bisect_right(self._line_starts, place)

    def is_spaced(self, i):
        """A binary operator, as clang-format writes it: blank on both sides."""
        token = self.tokens[i]
        return self.text[token.start - 1:token.start].isspace() and self.text[token.end:token.end + 1].isspace()

    def after_statement(self, i):
        """The index of the token behind the `;` that ends the statement which begins at token i; None if it is no simple one."""
        while i < len(self.tokens):
            text = self.tokens[i].text
            if text == ";" and self.tokens[i].kind == "sign":
                return i + 1
            if text in OPENING and i in self.partner:
                i = self.partner[i]
            elif text in CLOSING:
                return None
            i += 1
        return None

    def is_block(self, i):
        """Whether the `{` at token i opens a block of statements."""
        before = self.text_at(i - 1)
        if before in BLOCK_WORDS or before == ")":
            return True
        if before in (";", "{", "}"):
            return i > 0
        # A lambda without parameters, or with a named result: `[&] {`, `-> Result<void> {`.
        if before == "]":
            return True
        j = i - 1
        while j > 0 and self.tokens[j].text not in (";", "{", "}", ")", "="):
            if self.tokens[j].text == "->":
                return True
            j -= 1
        return False

    def condition_starts(self):
        """(index of `if`, index of its `(`) of each if that is decided at run time."""
        for i, token in enumerate(self.tokens):
            if token.text == "if" and token.kind == "word" and self.text_at(i + 1) == "(" and i + 1 in self.partner:
                yield i, i + 1

    def statement_starts(self):
        """Indices of tokens that begin a statement, with whether an if's condition stands right before."""
        guarded = {self.partner[paren] + 1 for _, paren in self.condition_starts()}
        loops = {self.partner[i + 1] + 1 for i, t in enumerate(self.tokens)
                 if t.text in ("for", "while") and self.text_at(i + 1) == "(" and i + 1 in self.partner}
        enclosing = self._enclosing()
        for i, token in enumerate(self.tokens):
            if i in guarded or i in loops or self.text_at(i - 1) == "else":
                yield i, i in guarded
            elif self.text_at(i - 1) in ("{", "}", ";") and enclosing[i] is not None and self.is_block(enclosing[i]):
                yield i, False

    def _enclosing(self):
        """Of each token the `{` that it stands in, None where the nearest bracket is another."""
        found, open_ones = [], []
        for i, token in enumerate(self.tokens):
            if token.text in CLOSING and i in self.partner and open_ones:
                open_ones.pop()
            found.append(open_ones[-1] if open_ones and self.tokens[open_ones[-1]].text == "{" else None)
            if token.text in OPENING and i in self.partner:
                open_ones.append(i)
        return found

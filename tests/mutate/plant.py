"""Finds the small faults that can be planted in a C++ file: one a mutant, at one place."""
import dataclasses
import difflib
import hashlib
import random
import re

from cpp import Source

COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
LOGIC = {"&&": "||", "||": "&&"}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "+=": "-=", "-=": "+="}
STEPS = {"++": "--", "--": "++"}
WORDS = {"true": "false", "false": "true"}
TWINS = {"min": "max", "max": "min", "min_element": "max_element", "max_element": "min_element",
         "any_of": "all_of", "all_of": "any_of", "none_of": "any_of", "front": "back", "back": "front",
         "lower_bound": "upper_bound", "upper_bound": "lower_bound"}
ASSIGNMENTS = {"=", "+=", "-=", "|=", "&=", "*=", "/="}
NO_STATEMENT = {"return", "using", "const", "constexpr", "auto", "static", "if", "for", "while", "switch", "case", "default", "else", "do",
                "try", "catch", "throw", "break", "continue", "template", "struct", "class", "enum", "namespace", "friend", "explicit",
                "public", "private", "protected", "goto", "typedef", "operator", "delete", "new", "inline", "virtual", "co_await", "EXPECT"}
LITERAL_MAX = 100  # one more or less of a larger number is seldom a fault
SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\b")
SQL_RULES = [  # name, what is looked for, what it becomes
    ("sql comparison", r"(?<=\s)(<|<=|>|>=)(?=\s)", lambda m: COMPARISONS[m[0]]),
    ("sql order", r"\s(?:DESC|ASC)\b", lambda m: "" if m[0].strip() == "DESC" else " DESC"),
    ("sql order", r"\bORDER BY [\w.]+(?!\s+(?:DESC|ASC)|[\w.(])", lambda m: m[0] + " DESC"),
    ("sql conjunct", r"(?<=\s)AND(?=\s)", lambda m: "OR"),
    ("sql condition", r"\sIS NOT NULL\b", lambda m: " IS NULL"),
    ("sql condition", r"\sIS NULL\b", lambda m: " IS NOT NULL"),
    ("sql condition", r"\bNOT (?=EXISTS|IN\b)", lambda m: ""),
    ("sql condition", r"(?<!NOT )\bEXISTS \(", lambda m: "NOT " + m[0]),
    ("sql lock", r"\s+FOR (?:UPDATE|SHARE|NO KEY UPDATE)(?: OF \w+)?(?: SKIP LOCKED| NOWAIT)?", lambda m: ""),
    ("sql lock", r"\s+SKIP LOCKED", lambda m: ""),
    ("sql conflict", r"\s+ON CONFLICT (?:\([\w, ]+\) )?DO NOTHING", lambda m: ""),
    ("sql arithmetic", r"(?<=\s)[+-](?=\s)", lambda m: ARITHMETIC[m[0]]),
    ("sql twin", r"\b(?:min|max|MIN|MAX)\(", lambda m: {"min(": "max(", "max(": "min(", "MIN(": "MAX(", "MAX(": "MIN("}[m[0]]),
]
# From AND up to what ends its condition, where no bracket is open.
CONJUNCT_END = re.compile(r"\b(AND|OR|ORDER|GROUP|LIMIT|RETURNING|FOR|ON|UNION|WHERE|HAVING|THEN)\b|[();]")


@dataclasses.dataclass(frozen=True)
class Mutant:
    file: str  # from the root of the repository
    operator: str
    line: int
    start: int
    end: int
    before: str
    after: str
    file_hash: str

    @property
    def id(self):
        whole = f"{self.file} {self.file_hash} {self.start} {self.end} {self.after}"
        return hashlib.sha256(whole.encode()).hexdigest()[:12]

    def applied_to(self, text):
        assert text[self.start:self.end] == self.before
        return text[:self.start] + self.after + text[self.end:]

    def diff(self, text):
        lines = difflib.unified_diff(text.splitlines(), self.applied_to(text).splitlines(), self.file, self.file, n=2, lineterm="")
        return "\n".join(lines)


def hash_of(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def mutants_of(file, text):
    """Every mutant of the file, in the order of its text."""
    source = Source(text)
    file_hash = hash_of(text)
    seen = set()
    for operator, start, end, after in sorted(_changes(source), key=lambda change: change[1:]):
        if text[start:end] == after or (start, end, after) in seen:
            continue
        seen.add((start, end, after))
        after += "\n" * (text.count("\n", start, end) - after.count("\n"))  # lines keep their numbers: assert() knows its own
        yield Mutant(file, operator, source.line_of(start), start, end, text[start:end], after, file_hash)


def _changes(source):
    """(operator, start, end, what stands there then) of each change."""
    yield from _of_tokens(source)
    yield from _of_conditions(source)
    yield from _of_statements(source)
    for token in source.tokens:
        if token.kind in ("raw", "string") and SQL.search(token.text):
            yield from _of_sql(token)


def _of_tokens(source):
    for i, token in enumerate(source.tokens):
        if source.is_untouched(token) or source.text_at(i - 1) == "operator":
            continue
        if token.kind == "sign":
            found = _of_sign(source, i)
        elif token.kind == "number":
            found = [("literal", after) for after in _numbers_near(token.text)]
        elif token.kind == "word":
            found = _of_word(source, i)
        else:
            continue
        for operator, after in found:
            yield operator, token.start, token.end, after


def _of_sign(source, i):
    text = source.tokens[i].text
    if source.is_spaced(i):
        for operator, table in (("comparison", COMPARISONS), ("logic", LOGIC), ("arithmetic", ARITHMETIC)):
            if text in table:
                # `T&& x` and `T operator()() && {` are no conjunctions.
                if text == "&&" and source.text_at(i + 1) in ("{", ";", "noexcept", "override"):
                    return []
                return [(operator, table[text])]
    if text in STEPS and not _is_in_for_header(source, i):
        return [("step", STEPS[text])]
    if text == "!" and (source.text_at(i + 1) == "(" or source.tokens[i + 1].kind == "word"):
        return [("negation", "")]
    return []


def _is_in_for_header(source, i):
    for j in range(i, max(i - 60, -1), -1):
        if source.text_at(j) in ("{", "}"):
            return False
        if source.text_at(j) == "for" and source.partner.get(j + 1, -1) > i:
            return True
    return False


def _numbers_near(text):
    if not re.fullmatch(r"\d+", text) or int(text) > LITERAL_MAX:
        return
    yield str(int(text) + 1)
    if int(text) > 0:
        yield str(int(text) - 1)


def _of_word(source, i):
    text = source.tokens[i].text
    if text in WORDS:
        return [("truth", WORDS[text])]
    if text in TWINS and source.text_at(i + 1) in ("(", "<") and source.text_at(i - 1) in ("::", ".", "->"):
        return [("twin", TWINS[text])]
    return []


def _of_conditions(source):
    for _, paren in source.condition_starts():
        begin, end = source.tokens[paren].end, source.tokens[source.partner[paren]].start
        j = paren + 1
        while j < source.partner[paren]:  # behind `if (init;`
            if source.tokens[j].text in "([{" and j in source.partner:
                j = source.partner[j]
            elif source.tokens[j].text == ";":
                begin = source.tokens[j].end
            j += 1
        condition = source.text[begin:end]
        if _says_it_otherwise(condition.strip()):
            continue
        blanks = condition[:len(condition) - len(condition.lstrip())]
        yield "condition", begin, end, f"{blanks}!({condition.strip()})"


def _says_it_otherwise(condition):
    """A declaration, which cannot be negated, or what the mutants of `!`, `==` and `!=` negate already."""
    if " = " in condition:
        return True
    return not re.search(r"&&|\|\|", condition) and bool(re.match(r"!\w|[^()]* [!=]= ", condition))


def _of_statements(source):
    for i, guarded in source.statement_starts():
        token = source.tokens[i]
        behind = source.after_statement(i)
        if behind is None or source.is_untouched(token):
            continue
        end = source.tokens[behind - 1].end
        if token.text in ("continue", "break") or (guarded and token.text in ("return", "throw")):
            yield "guard", token.start, end, "{}"
        elif _is_expression(source, i, behind - 1) and not _is_unseen(source, i, behind - 1):
            yield "statement", token.start, end, "{}"


def _is_expression(source, first, semicolon):
    """Whether tokens [first, semicolon) are a call or an assignment, and no declaration."""
    tokens = source.tokens
    if tokens[first].text in ("++", "--", "*"):
        return True
    if tokens[first].kind != "word" or tokens[first].text in NO_STATEMENT:
        return False
    i, last = first, ""
    while i < semicolon:
        text = tokens[i].text
        if text in ASSIGNMENTS and tokens[i].kind == "sign":
            return True
        if tokens[i].kind == "word" and last == "word":
            return False  # a type and a name
        if text in ("&", "&&", "*", "<", ">", "{") and tokens[i].kind == "sign":
            # `T& x = ...`, `Id<T> x`: a declaration; `a < b` is no statement; a call with a template argument stays.
            if text != "<" or "(" not in (t.text for t in tokens[i:semicolon]):
                return False
            while i < semicolon and tokens[i].text != ">":
                i += 1
            if tokens[i + 1].text != "(":
                return False
        if text in ("(", "[") and i in source.partner:
            i = source.partner[i]
        last = tokens[i].kind
        i += 1
    return tokens[semicolon - 1].text == ")"


def _is_unseen(source, first, semicolon):
    """A log line, or what only makes room."""
    writes_log = "log" in (source.text_at(first), source.text_at(first + 2)) and source.text_at(first + 1) in ("(", "::")
    return writes_log or any(source.text_at(i) == "reserve" for i in range(first, min(first + 6, semicolon)))


def _of_sql(token):
    for operator, pattern, become in SQL_RULES:
        if become is None:
            continue
        for match in re.finditer(pattern, token.text):
            if match[0] == "AND" and _is_of_between(token.text, match.end()):
                continue
            yield operator, token.start + match.start(), token.start + match.end(), become(match)
    for match in re.finditer(r"\s+AND(?=\s)", token.text):
        if _is_of_between(token.text, match.end()):
            continue
        end = _end_of_condition(token.text, match.end())
        yield "sql conjunct", token.start + match.start(), token.start + end, ""
    for match in re.finditer(r"\bWHERE\s+", token.text):
        end = _end_of_condition(token.text, match.end())
        if token.text.startswith("AND", end):
            behind = end + len("AND")
            yield "sql conjunct", token.start + match.end(), token.start + behind, ""


def _is_of_between(text, end):
    """Whether the AND that ends there is the one of `BETWEEN a AND b`, which is one condition."""
    _, between, behind = text[:end].rpartition("BETWEEN")
    return bool(between) and len(re.findall(r"\bAND\b", behind)) == 1 and behind.count("(") >= behind.count(")")


def _end_of_condition(text, start):
    depth = 0
    for match in CONJUNCT_END.finditer(text, start):
        if match[0] == "AND" and _is_of_between(text, match.end()):
            continue
        if match[0] == "(":
            depth += 1
        elif match[0] == ")" and depth > 0:
            depth -= 1
        elif depth == 0:
            end = match.start()
            return end if match[1] == "AND" else len(text[:end].rstrip())
    return len(text.rstrip().removesuffix(')sql"').removesuffix('"').rstrip())


def chosen(mutants, seed):
    """The mutants in the order in which a run plants them: by chance, each operator about as often as the root of its share says."""
    counts = {}
    for mutant in mutants:
        counts[mutant.operator] = counts.get(mutant.operator, 0) + 1
    keyed = []
    for mutant in mutants:
        chance = random.Random(f"{seed} {mutant.file} {mutant.start} {mutant.after}").random()
        keyed.append((-chance ** (counts[mutant.operator] ** 0.5), mutant.file, mutant.start, mutant.after, mutant))
    first_of_line, others, lines = [], [], set()
    for *_, mutant in sorted(keyed, key=lambda row: row[:4]):
        (others if (mutant.file, mutant.line) in lines else first_of_line).append(mutant)
        lines.add((mutant.file, mutant.line))
    return first_of_line + others

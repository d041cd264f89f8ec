"""The generator of ./dev mutate: where it plants faults, and what it leaves alone."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import plant  # noqa: E402


def changes(text, operator=None):
    return {(m.before, m.after.rstrip("\n")) for m in plant.mutants_of("src/a.cpp", text) if operator in (None, m.operator)}


def body(statements):
    return "void f(int a, int b) {\n" + statements + "\n}\n"


@pytest.mark.parametrize("statement, operator, expected", [
    ("return a < b;", "comparison", {("<", "<=")}),
    ("return a >= b;", "comparison", {(">=", ">")}),
    ("return a == b;", "comparison", {("==", "!=")}),
    ("return a && b;", "logic", {("&&", "||")}),
    ("return a + b;", "arithmetic", {("+", "-")}),
    ("return !a;", "negation", {("!", "")}),
    ("return true;", "truth", {("true", "false")}),
    ("return std::min(a, b);", "twin", {("min", "max")}),
    ("++a;", "step", {("++", "--")}),
    ("return 7;", "literal", {("7", "8"), ("7", "6")}),
    ("return 0;", "literal", {("0", "1")}),
    ("if (a && b) return;", "condition", {("a && b", "!(a && b)")}),
    ("if (int c = a; c && b) return;", "condition", {(" c && b", " !(c && b)")}),
    ("if (a) return;", "guard", {("return;", "{}")}),
    ("if (a) throw Failure(a);", "guard", {("throw Failure(a);", "{}")}),
    ("for (;;) { if (a) continue; }", "guard", {("continue;", "{}")}),
    ("keys.erase(a);", "statement", {("keys.erase(a);", "{}")}),
    ("tx->commit();", "statement", {("tx->commit();", "{}")}),
    ("for (int c : all) keys.push_back(c);", "statement", {("keys.push_back(c);", "{}")}),
    ("run<int>(a, b);", "statement", {("run<int>(a, b);", "{}")}),
    ("a.b[3] = b;", "statement", {("a.b[3] = b;", "{}")}),
    ("sort([&] { a.sort(); });", "statement", {("sort([&] { a.sort(); });", "{}"), ("a.sort();", "{}")}),
])
def test_plants(statement, operator, expected):
    assert changes(body(statement), operator) == expected


@pytest.mark.parametrize("statement", [
    "// if (a < b) return 1;",
    "/* a < b */",
    'const auto text = "a < b && c == 1";',
    "static_assert(a < b);",
    'telemetry::log(Level::warn, "a", "b", {{"count", a + 1}});',
    "std::vector<Id> x;",
    "std::vector<Id>& x = y;",
    "T&& x = y;",
    "const auto x = y;",
    "Order order(y);",
    "keys.reserve(a);",
    "return -a;",
    "return 1'000'000;",
    "return x->y;",
])
def test_leaves_alone(statement):
    assert changes(body(statement)) == set()


def test_leaves_directives_templates_and_operators_alone():
    assert changes("#define MORE(a) a + 1\n#include <a/b.hpp>\ntemplate <class A, class B>\nbool operator==(A, B);\n") == set()


def test_a_loop_counts_up():
    assert changes(body("for (int i = 0; i < a; ++i) use(i);"), "step") == set()


def test_says_nothing_twice_of_a_condition():
    assert changes(body("if (!a) use(b);"), "condition") == set()
    assert changes(body("if (a == b) use(b);"), "condition") == set()
    assert changes(body("if (const auto c = a) use(c);"), "condition") == set()


SQL = '''constexpr sql::Query query{"q", R"sql(
    SELECT id FROM t WHERE a = $1 AND (b < $2 OR c IS NULL) AND d BETWEEN $3 AND $4
    ORDER BY a, b DESC LIMIT $5 FOR UPDATE SKIP LOCKED
)sql"};
'''


@pytest.mark.parametrize("operator, expected", [
    ("sql comparison", {("<", "<=")}),
    ("sql order", {("ORDER BY a", "ORDER BY a DESC"), (" DESC", "")}),
    ("sql lock", {(" FOR UPDATE SKIP LOCKED", ""), (" SKIP LOCKED", "")}),
    ("sql condition", {(" IS NULL", " IS NOT NULL")}),
])
def test_plants_in_sql(operator, expected):
    assert changes(SQL, operator) == expected


def test_drops_a_whole_conjunct_of_sql():
    dropped = {before for before, after in changes(SQL, "sql conjunct") if after == ""}
    assert dropped == {"a = $1 AND", " AND (b < $2 OR c IS NULL) ", " AND d BETWEEN $3 AND $4"}


def test_drops_the_last_conjunct_of_a_short_text():
    text = 'constexpr auto q = "DELETE FROM t WHERE a = $1 AND b = $2";\n'
    assert (" AND b = $2", "") in changes(text)


def test_each_mutant_is_one_change_at_its_place_and_keeps_the_lines():
    text = body("if (a < b) {\n    call(a,\n         b);\n}\nreturn b + 1;")
    mutants = list(plant.mutants_of("src/a.cpp", text))
    assert len({m.id for m in mutants}) == len(mutants) > 4
    for mutant in mutants:
        changed = mutant.applied_to(text)
        assert changed != text and changed.count("\n") == text.count("\n")
        assert changed[:mutant.start] == text[:mutant.start] and changed.endswith(text[mutant.end:])
        assert mutant.diff(text).startswith("--- src/a.cpp\n+++ src/a.cpp\n")


def test_a_mutant_of_a_changed_file_is_another():
    text = body("return a < b;")
    assert not {m.id for m in plant.mutants_of("src/a.cpp", text)} & {m.id for m in plant.mutants_of("src/a.cpp", text + "\n")}


def test_the_seed_alone_decides_the_order():
    mutants = list(plant.mutants_of("src/a.cpp", body("\n".join(f"use(a + {i}, b < {i});" for i in range(1, 40)))))
    assert plant.chosen(mutants, "1") == plant.chosen(mutants[::-1], "1") != plant.chosen(mutants, "2")
    assert set(plant.chosen(mutants, "1")) == set(mutants)


def test_each_line_comes_once_before_one_comes_twice():
    mutants = list(plant.mutants_of("src/a.cpp", body("\n".join(f"use(a + {i}, b < {i});" for i in range(1, 40)))))
    first = plant.chosen(mutants, "1")[:39]
    assert len({m.line for m in first}) == 39

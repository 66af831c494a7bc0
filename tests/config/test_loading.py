# ruff: noqa: E501 - a row of a table stays on one line
from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

import pytest
from pydantic import Field, field_validator, model_validator

from engine.config import load_config, parse_overrides
from engine.core.errors import Mistake, StrategyError, UsageError
from engine.core.types import Spec

if TYPE_CHECKING:
    from pathlib import Path


class Average(Spec):
    kind: Literal["average"] = "average"
    window: int = Field(default=20, ge=2, le=1000)


class Crossover(Spec):
    kind: Literal["crossover"] = "crossover"
    fast: int = 20
    slow: int = 100

    @model_validator(mode="after")
    def _ordered(self) -> Crossover:
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be below slow ({self.slow})")
        return self


Rule = Annotated[Average | Crossover, Field(discriminator="kind")]


class Costs(Spec):
    fee_bps: float = Field(default=10.0, ge=0, lt=10_000)


class Plan(Spec):
    name: str = Field(min_length=1)
    rule: Rule
    opponents: tuple[Rule, ...] = Field(default=(Average(),), min_length=1)
    fallback: Rule | None = None
    costs: Costs = Costs()
    side: Literal["long_only", "long_short"] = "long_only"
    workers: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    start: date | None = None
    symbols: dict[str, str] = Field(default_factory=dict)
    bidirectional: bool = False


KEYS = "name, rule, opponents, fallback, costs, side, workers, start, symbols or bidirectional"
MINIMAL = "name: plan\nrule: {kind: average}\n"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return tmp_path / "plan.yaml"


def mistakes_in(
    file: Path, text: str, overrides: dict[str, object] | None = None
) -> tuple[Mistake, ...]:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(StrategyError) as caught:
        load_config(file, Plan, overrides)
    return caught.value.mistakes


def only_mistake_in(file: Path, text: str, overrides: dict[str, object] | None = None) -> Mistake:
    (mistake,) = mistakes_in(file, text, overrides)
    return mistake


def test_a_valid_file_loads_as_a_frozen_spec(plan: Path) -> None:
    plan.write_text(
        "name: plan  # a comment\n"
        "rule: {kind: crossover, fast: 5, slow: 50}\n"
        "opponents:\n"
        "  - kind: average\n"
        "    window: 1_000\n"
        "  - kind: crossover\n"
        "costs: {fee_bps: 1e-1}\n"
        "workers: 4\n"
        "start: 2015-01-31\n"
        "symbols: {BTC-USD: BTC, 1: one}\n"
        "bidirectional: true\n"
        "fallback:\n",
        encoding="utf-8",
    )

    assert load_config(plan, Plan) == Plan(
        name="plan",
        rule=Crossover(fast=5, slow=50),
        opponents=(Average(window=1000), Crossover()),
        costs=Costs(fee_bps=0.1),
        workers=4,
        start=date(2015, 1, 31),
        symbols={"BTC-USD": "BTC", "1": "one"},
        bidirectional=True,
    )


def test_a_byte_order_mark_is_ignored(plan: Path) -> None:
    plan.write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())

    assert load_config(plan, Plan).name == "plan"


def test_an_anchor_repeats_a_value(plan: Path) -> None:
    plan.write_text("name: plan\nrule: &r {kind: average, window: 9}\nopponents: [*r, *r]\n")

    assert load_config(plan, Plan).opponents == (Average(window=9), Average(window=9))


def test_all_mistakes_are_reported_in_file_order(plan: Path) -> None:
    mistakes = mistakes_in(
        plan,
        "name: plan\n"
        "rule:\n"
        "  kind: average\n"
        "  windw: 5\n"
        "opponents:\n"
        "  - kind: crossover\n"
        "  - kind: average\n"
        "    window: 1\n"
        "  - kind: averag\n"
        "side: long\n"
        "side: long_only\n"
        "costs:\n"
        "  fee_bps: cheap\n"
        "extra: 1\n",
    )

    assert [(m.path, m.line) for m in mistakes] == [
        ("rule.windw", 4),
        ("opponents.1.window", 8),
        ("opponents.2.kind", 9),
        ("side", 11),
        ("costs.fee_bps", 13),
        ("extra", 14),
    ]


WINDOW = "a whole number, at least 2, at most 1000"
WORKERS = "a whole number, at least 1 or auto"


@pytest.mark.parametrize(
    ("line", "path", "expected", "found", "hint"),
    [
        ("rule: {kind: average, windw: 5}", "rule.windw", "one of the keys kind or window", "`windw`", "did you mean `window`?"),
        ("rule: {kind: Crosover}", "rule.kind", "average or crossover", "`Crosover`", "did you mean `crossover`?"),
        ("rule: {window: 5}", "rule.kind", "the key `kind`: average or crossover", "nothing", ""),
        ("rule: averge", "rule", "a mapping with `kind`: average or crossover", '"averge"', "did you mean `{kind: average}`?"),
        ("rule: {kind: average, window: 1}", "rule.window", WINDOW, "1", "leave it out for the default, 20"),
        ("rule: {kind: average, window: 2.5}", "rule.window", WINDOW, "2.5", "leave it out for the default, 20"),
        ("rule: {kind: average, window: '20'}", "rule.window", WINDOW, '"20"', "leave it out for the default, 20"),
        ("rule: {kind: average, window: true}", "rule.window", WINDOW, "true", "leave it out for the default, 20"),
        ("rule: {kind: crossover, fast: 9, slow: 9}", "rule", "fast (9) must be below slow (9)", "a mapping with the keys kind, fast and slow", ""),
        ("rule: {kind: average, window: !!int many}", "rule.window", "a value of type int", "`many`", ""),
        ("rule: {kind: average, window: !py/object:os.system 3}", "rule.window", "a plain value", "the tag !py/object:os.system", ""),
        ("rule: {kind: average, ? [a] : 1}", "rule", "keys that are text", "a key that is a list or mapping", ""),
        ("name: again", "name", "each key once", "`name` again, first on line 1", ""),
    ],
)  # fmt: skip
def test_a_mistake_in_a_union_has_path_expectation_and_hint(
    plan: Path, line: str, path: str, expected: str, found: str, hint: str
) -> None:
    rule = "" if line.startswith("rule") else "\nrule: {kind: average}"

    mistake = only_mistake_in(plan, f"name: plan\n{line}{rule}\n")

    assert mistake == Mistake(path, 2, expected, found, hint)


@pytest.mark.parametrize(
    ("line", "path", "expected", "found", "hint"),
    [
        ("costs: {fee_bps: -1}", "costs.fee_bps", "a number, at least 0, below 10000", "-1", "leave it out for the default, 10"),
        ("costs: {fee_bps: .nan}", "costs.fee_bps", "a finite number", "`.nan`", ""),
        ("costs: 5", "costs", "a mapping with the keys fee_bps", "5", ""),
        ("side: long_onli", "side", "long_only or long_short", '"long_onli"', "did you mean `long_only`?"),
        ("workers: many", "workers", WORKERS, '"many"', ""),
        ("workers: 0", "workers", WORKERS, "0", ""),
        ("start: 2015-13-01", "start", "a date such as 2015-01-31", '"2015-13-01"', ""),
        ("bidirectional: yes", "bidirectional", "true or false", '"yes"', ""),
        ("symbols: {BTC: 5}", "symbols.BTC", "text", "5", 'put it in quotes: "5"'),
        ("opponents: []", "opponents", "a list, at least 1 entries", "[]", ""),
        ("opponents: {kind: average}", "opponents", "a list, at least 1 entries", "a mapping with the keys kind", ""),
        ("opponents: [{kind: average, window: 0}]", "opponents.0.window", WINDOW, "0", "leave it out for the default, 20"),
        ("fallback: {kind: average, window: 0}", "fallback.window", WINDOW, "0", "leave it out for the default, 20"),
        ("<<: {side: long_only}", "<<", f"one of the keys {KEYS}", "`<<`", ""),
        ("costs: &loop {fee_bps: *loop}", "", "values that end", "an alias of the list or mapping that it stands in", ""),
    ],
)  # fmt: skip
def test_a_mistake_in_a_value_has_path_and_expectation(
    plan: Path, line: str, path: str, expected: str, found: str, hint: str
) -> None:
    mistakes = mistakes_in(plan, f"{MINIMAL}{line}\n")

    assert Mistake(path, 3, expected, found, hint) in mistakes


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("007", "the number 7"),
        ("1e5", "the number 100000.0"),
        ("0x10", "the number 16"),
        ("1_000", "the number 1000"),
        ("+1", "the number 1"),
        ("TRUE", "the truth value true"),
        ("null", "nothing"),
        ("NULL", "nothing"),
        ("~", "nothing"),
    ],
)
def test_text_that_yaml_reads_as_something_else_is_shown_as_written_with_the_quotes(
    plan: Path, text: str, read: str
) -> None:
    for line in (f"symbols: {{A: {text}}}\n", f"symbols:\n  A: {text}\n"):
        mistake = only_mistake_in(plan, MINIMAL + line)
        assert mistake.path == "symbols.A"
        assert mistake.found == f"{text}, which YAML reads as {read}"
        assert mistake.hint == f'put it in quotes: "{text}"'
    quoted = f'symbols: {{A: "{text}", "{text}": {text!r}}}\n'
    plan.write_text(MINIMAL + quoted)
    assert load_config(plan, Plan).symbols == {"A": text, text: text}


@pytest.mark.parametrize(
    "text",
    ["NO", "ON", "yes", "Y", "1INCH", "2024-01-01", "12:30:45", "NaN", "inf", "BRK.B", "^X"],
)
def test_text_that_other_readers_of_yaml_take_for_something_else_stays(
    plan: Path, text: str
) -> None:
    plan.write_text(f"{MINIMAL}symbols: {{A: {text}, {text}: {text}}}\n")
    assert load_config(plan, Plan).symbols == {"A": text, text: text}


@pytest.mark.parametrize("text", ["@X", "%X", "*X", "!X", "`X", "&X", "#X"])
def test_text_that_yaml_cannot_read_has_a_hint_about_quotes(plan: Path, text: str) -> None:
    for line in (f"symbols: {{A: {text}}}\n", f"symbols: {{A: {text}\n  }}\n"):
        (mistake, *_) = mistakes_in(plan, MINIMAL + line)
        assert "quotes" in mistake.hint


@pytest.mark.parametrize("text", ["007", "1e5", "true", "[a]"])
def test_an_override_that_is_no_text_has_a_hint_about_both_quotes(plan: Path, text: str) -> None:
    mistake = only_mistake_in(plan, MINIMAL, parse_overrides([f"name={text}"]))
    assert ("'name=\"…\"'" in mistake.hint) == (text != "[a]")
    assert parse_overrides([f'name="{text}"']) == {"name": text}


def test_a_list_of_invalid_entries_is_not_reported_as_too_short(plan: Path) -> None:
    mistake = only_mistake_in(plan, f"{MINIMAL}opponents: [{{kind: average, window: 0}}]\n")

    assert mistake.path == "opponents.0.window"


def test_a_missing_key_has_the_line_of_its_parent(plan: Path) -> None:
    assert mistakes_in(plan, "# first line\nside: long_only\n") == (
        Mistake("name", 2, "the key `name`: text that is not empty", "nothing"),
        Mistake(
            "rule", 2, "the key `rule`: a mapping with `kind`: average or crossover", "nothing"
        ),
    )


def test_a_syntax_error_has_its_line_and_text(plan: Path) -> None:
    mistake = only_mistake_in(plan, "name: plan\nrule: {kind: average\nside: long_only\n")

    assert (mistake.path, mistake.line, mistake.expected) == ("", 3, "valid YAML")
    assert mistake.found.startswith("side: long_only (")


def test_a_truncated_file_is_a_syntax_error(plan: Path) -> None:
    mistake = only_mistake_in(plan, "name: plan\nrule: {kind: average\n")

    assert mistake.line == 3
    assert mistake.found.startswith("the end of the file (")


def test_too_deep_nesting_is_refused(plan: Path) -> None:
    assert "levels of nesting" in only_mistake_in(plan, "name: " + "[" * 600).expected


def test_a_tab_gets_a_hint_about_spaces(plan: Path) -> None:
    mistake = only_mistake_in(plan, "name: plan\nrule:\n\tkind: average\n")

    assert (mistake.line, mistake.hint) == (3, "indent with spaces; YAML allows no tabs")


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n"])
def test_an_empty_file_is_reported_as_empty(plan: Path, text: str) -> None:
    assert only_mistake_in(plan, text).found == "an empty file"


@pytest.mark.parametrize(("text", "found"), [("- a\n- b\n", '["a", "b"]'), ("plan\n", '"plan"')])
def test_a_file_that_is_not_a_mapping_lists_the_expected_keys(
    plan: Path, text: str, found: str
) -> None:
    mistake = only_mistake_in(plan, text)

    assert (mistake.path, mistake.line, mistake.found) == ("", 1, found)
    assert mistake.expected.startswith("a mapping with the keys name, rule,")


def test_two_documents_in_one_file_are_a_mistake(plan: Path) -> None:
    assert only_mistake_in(plan, f"{MINIMAL}---\n{MINIMAL}").line == 3


def test_text_that_is_not_utf8_has_its_line(plan: Path) -> None:
    plan.write_bytes(b"name: plan\nrule: caf\xe9\n")

    with pytest.raises(StrategyError) as caught:
        load_config(plan, Plan)

    assert caught.value.mistakes == (
        Mistake("", 2, "text in UTF-8", "the byte 0xe9", "save the file as UTF-8"),
    )


def test_a_character_yaml_forbids_has_its_line(plan: Path) -> None:
    assert only_mistake_in(plan, "name: plan\nrule: \x01\n") == Mistake(
        "", 2, "printable text", "the character '\\x01'"
    )


def test_a_missing_file_suggests_a_similar_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "micdl.yaml").write_text(MINIMAL)
    (tmp_path / "own.yml").write_text(MINIMAL)
    monkeypatch.chdir(tmp_path)

    fixes = {}
    for name in ("strategies/mikdl.yaml", "micdl", "owm.yaml", "zzz.yaml"):
        with pytest.raises(UsageError) as caught:
            load_config(tmp_path / name, Plan)
        fixes[name] = caught.value.fix

    assert fixes == {
        "strategies/mikdl.yaml": f"did you mean {tmp_path}/strategies/micdl.yaml?",
        "micdl": "did you mean strategies/micdl.yaml?",
        "owm.yaml": f"did you mean {tmp_path}/own.yml?",
        "zzz.yaml": "name a YAML file that exists",
    }


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_config(tmp_path, Plan)


def test_overrides_replace_values_in_mappings_and_lists(plan: Path) -> None:
    plan.write_text(
        f"{MINIMAL}opponents: [{{kind: average}}, {{kind: crossover}}]\nside: long_only\n"
    )
    overrides = parse_overrides(
        ["opponents.1.fast=10", "costs.fee_bps=2", "rule={kind: crossover}", "start=2020-01-01"]
    )

    loaded = load_config(plan, Plan, overrides)

    assert loaded.opponents == (Average(), Crossover(fast=10))
    assert (loaded.costs.fee_bps, loaded.rule) == (2.0, Crossover())
    assert loaded.start == date(2020, 1, 1)


def test_python_overrides_accept_specs_tuples_and_dates(plan: Path) -> None:
    plan.write_text(MINIMAL)
    rule = {"kind": "average"}
    overrides = {
        "rule": rule,
        "rule.window": 7,
        "opponents": (Crossover(fast=3),),
        "start": date(2020, 1, 1),
    }

    loaded = load_config(plan, Plan, overrides)

    assert (loaded.rule, loaded.opponents) == (Average(window=7), (Crossover(fast=3),))
    assert rule == {"kind": "average"}


def test_a_python_override_of_nan_is_refused(plan: Path) -> None:
    plan.write_text(MINIMAL)

    with pytest.raises(UsageError, match="not a finite number"):
        load_config(plan, Plan, {"costs.fee_bps": float("nan")})


@pytest.mark.parametrize(
    ("override", "value", "path", "expected", "found", "hint"),
    [
        ("side", "short", "side", "long_only or long_short", '"short" (--set or --grid)', "did you mean `long_short`?"),
        ("rule.windw", 5, "rule.windw", "one of the keys kind or window", "`windw` (--set or --grid)", "did you mean `window`?"),
        ("cost.fee_bps", 5, "cost", f"one of the keys {KEYS}", "`cost` (--set or --grid)", "did you mean `costs`?"),
        ("fallback.window", 5, "fallback.kind", "the key `kind`: average or crossover", "nothing (--set or --grid)", ""),
        ("opponents.3.window", 5, "opponents.3", "an index below 1", "`3` (--set or --grid)", ""),
        ("opponents.first", 5, "opponents.first", "an index below 1", "`first` (--set or --grid)", ""),
        ("name.first", 5, "name.first", "a mapping or a list to set a value in", "`plan`, for `first` (--set or --grid)", ""),
    ],
)  # fmt: skip
def test_a_mistake_in_an_override_names_set_and_has_no_line(
    plan: Path, override: str, value: object, path: str, expected: str, found: str, hint: str
) -> None:
    mistake = only_mistake_in(
        plan, f"{MINIMAL}opponents: [{{kind: average}}]\n", {override: value}
    )

    assert mistake == Mistake(path, None, expected, found, hint)


def test_set_values_are_yaml_and_the_last_one_wins() -> None:
    items = ["a.b=1", "a.c=x=y", "list=[1, {k: v}]", "nothing=", "text='1'", "a.b=2.5", "on=yes"]

    assert parse_overrides(items) == {
        "a.c": "x=y",
        "list": [1, {"k": "v"}],
        "nothing": None,
        "text": "1",
        "a.b": 2.5,
        "on": "yes",
    }


@pytest.mark.parametrize(
    "item", ["windows.train", "=3", "a..b=3", "a=[1", "a=!!python/object:x y"]
)
def test_an_invalid_set_item_is_shown_in_the_error(item: str) -> None:
    with pytest.raises(UsageError, match=r"^--set ") as caught:
        parse_overrides([item])

    assert item in str(caught.value)


def test_an_override_in_an_omitted_mapping_starts_from_its_default(
    plan: Path,
) -> None:
    class Chosen(Spec):
        rule: Rule = Crossover(fast=7)
        costs: Costs = Costs()

    plan.write_text("costs: {fee_bps: 1}\n", encoding="utf-8")

    assert load_config(plan, Chosen, {"rule.slow": 50}).rule == Crossover(fast=7, slow=50)
    with pytest.raises(StrategyError):
        load_config(plan, Chosen, {"rule.window": 50})


class Texts(Spec):
    """Keys that take a whole number for text, as the names of a file's columns do."""

    kind: Literal["texts"] = "texts"
    where: dict[str, str] = Field(default_factory=dict)
    header: Literal["none"] | tuple[str, ...] | None = None
    count: int = 1

    @field_validator("where", "header", mode="before")
    @classmethod
    def _numbers_are_text(cls, names: object) -> object:
        if isinstance(names, dict):
            return {key: str(name) for key, name in names.items()}
        return tuple(map(str, names)) if isinstance(names, list) else names


class Sources(Spec):
    sources: tuple[Annotated[Texts | Average, Field(discriminator="kind")], ...]


@pytest.mark.parametrize(
    ("line", "path", "text"),
    [
        ("where: {Name: 007}", "sources.0.where.Name", "007"),
        ("where: {Name: 0x10}", "sources.0.where.Name", "0x10"),
        ("header: [1, 002]", "sources.0.header.1", "002"),
    ],
)
def test_a_number_taken_for_text_has_to_be_written_as_it_is_read(
    plan: Path, line: str, path: str, text: str
) -> None:
    plan.write_text(f"sources:\n- {{kind: texts, {line}}}\n")
    with pytest.raises(StrategyError) as caught:
        load_config(plan, Sources)
    (mistake,) = caught.value.mistakes
    assert (mistake.path, mistake.line) == (path, 2)
    assert mistake.found.startswith(f"{text}, which YAML reads as the number")
    assert mistake.hint == f'put it in quotes: "{text}"'


@pytest.mark.parametrize(
    "line", ["where: {Name: 7}", "header: [1, 2]", "count: 007", "count: 1_0"]
)
def test_a_number_written_as_it_is_read_or_where_numbers_belong_is_accepted(
    plan: Path, line: str
) -> None:
    plan.write_text(f"sources:\n- {{kind: texts, {line}}}\n")
    load_config(plan, Sources)

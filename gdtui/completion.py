"""Completion: what a shell offers when Tab is pressed; small scripts ask gdtui itself, so that nothing goes stale.

Libraries were weighed: one writes fixed lists, without kept runs; the other needs all commands in one parser. The
scripts below are shorter than what either would ask for, and all three shells get the same answers.
"""

from __future__ import annotations

from argparse import ONE_OR_MORE, ZERO_OR_MORE
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from gdtui.experiment import ORDERS, SETTINGS, Experiment, InputError, printable

if TYPE_CHECKING:
    from argparse import Action, ArgumentParser
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Offer = tuple[str, str]
    """What can be typed, and what it is, in a few words."""

FILES: Offer = ("", "files")
"""The shell is to offer the names of files itself."""

RUNS = 200
"""So many kept runs are offered, the newest."""

BREAKS = ("=", ":")
"""Bash hands over what stands to either side of these as words of their own."""


def offer(parser: ArgumentParser, words: Sequence[str]) -> None:
    """Print what the last word of a command line can become: a line each, a tab, and what it is.

    Args:
        parser: of the command.
        words: those after the command; the last is what is typed so far, perhaps nothing.
    """
    joined, broken = _joined(words)
    *_, current = joined
    for word, what in offers(parser, joined):
        if (word, what) == FILES:
            print("\tfiles")
        elif word.startswith(current):
            print(f"{word[broken:]}\t{what}")


def offer_command(first: str, commands: Mapping[str, str]) -> None:
    """The same for the first word of all.

    Args:
        first: what is typed so far.
        commands: what each is for, by its name.
    """
    for name, what in commands.items():
        if name.startswith(first):
            print(f"{name}\t{what}")


def offers(parser: ArgumentParser, words: Sequence[str]) -> Iterator[Offer]:
    """What there is where the last word stands, whatever it begins with."""
    *before, current = words
    options = {name: action for action in parser._actions for name in action.option_strings}
    name, equals, _ = current.partition("=")
    expected = options.get(before[-1]) if before else None
    if equals and name in options:
        yield from ((word and f"{name}={word}", what) for word, what in _values(options[name], words))
    elif expected is not None and expected.nargs != 0:
        yield from _values(expected, words)
    else:
        positional = _positional(parser, options, before)
        if positional is not None and not current.startswith("-"):
            yield from _values(positional, words)
        if current.startswith("-") or positional is None:
            yield from ((name, action.help or "") for name, action in options.items() if name not in before)


def _joined(words: Sequence[str]) -> tuple[list[str], int]:
    """The words as they were typed, and how much of the last one the shell does not want to have again."""
    joined: list[str] = []
    is_open = False
    for word in words:
        is_break = word in BREAKS and bool(joined)
        if is_break or is_open:
            joined[-1] += word
        else:
            joined.append(word)
        is_open = is_break
    whole = bool(words) and joined[-1] == words[-1]
    return joined, 0 if whole else max(joined[-1].rfind(mark) + 1 for mark in BREAKS)


def _positional(parser: ArgumentParser, options: Mapping[str, Action], before: Sequence[str]) -> Action | None:
    """The argument that stands where an option does not; None where all have been given."""
    pairs = pairwise(("", *before))
    given = sum(
        not word.startswith("-") and not (previous in options and options[previous].nargs != 0)
        for previous, word in pairs
    )
    for action in parser._actions:
        if not action.option_strings:
            if given == 0 or action.nargs in (ZERO_OR_MORE, ONE_OR_MORE):
                return action
            given -= 1
    return None


# --- values ----------------------------------------------------------------------------------------------------------


def _values(action: Action, words: Sequence[str]) -> Iterator[Offer]:
    """What an option or argument can be; by its own name, or else by what stands for it in the help."""
    stands_for = str(action.metavar)
    for name in (*action.option_strings, "" if action.option_strings else stands_for):
        if name in VALUES:
            yield from VALUES[name](words)
            return
    for word in stands_for.split("|"):
        if word in VALUES:
            yield from VALUES[word](words)
        elif word.islower():
            yield word, ""


def _problems(_words: Sequence[str]) -> Iterator[Offer]:
    from gdtui.problems.catalog import FAMILIES

    return chain(((name, one.summary) for name, one in FAMILIES.items()), (FILES,))


def _datasets(_words: Sequence[str]) -> Iterator[Offer]:
    from gdtui.problems.loading import SOURCES

    return chain(((name, one.summary) for name, one in SOURCES.items()), (FILES,))


def _optimizers(_words: Sequence[str]) -> Iterator[Offer]:
    from gdtui.descent.optimizers import RULES

    return ((name, one.summary) for name, one in RULES.items())


def _schedules(_words: Sequence[str]) -> Iterator[Offer]:
    from gdtui.descent.schedules import SCHEDULES

    return ((name, one.summary) for name, one in SCHEDULES.items())


def _hyperparameters(words: Sequence[str]) -> Iterator[Offer]:
    """Those of the problem, data, optimizer and schedule that the same line names."""
    from gdtui.descent.method import hyperparameters
    from gdtui.problems.catalog import FAMILIES

    said = chain(pairwise(words), (word.split("=", 1) for word in words if "=" in word))
    named = {name[2:]: value for name, value in said if name in ("--problem", "--data", "--optimizer", "--schedule")}
    if named.get("problem") in FAMILIES:
        named.setdefault("data", FAMILIES[named["problem"]].data or "noise")
    try:
        known = hyperparameters(Experiment.from_options(named))
    except InputError:
        return
    for one in known:
        yield from ((f"{one.name}={word}", one.what) for word in one.choices or ("",))


def _lessons(_words: Sequence[str]) -> Iterator[Offer]:
    from gdtui.lessons.catalog import LESSONS

    return ((lesson.name, lesson.title) for lesson in LESSONS.values())


def _topics(_words: Sequence[str]) -> Iterator[Offer]:
    from gdtui.topics.topic import NAMES, topic_named

    return ((name, topic_named(name).title) for name in NAMES)


def _runs(_words: Sequence[str]) -> Iterator[Offer]:
    from gdtui.runs.names import newest

    yield "last", "the newest"
    for run in newest(RUNS):
        what = printable(f"epoch {run.epoch}: {run.settings}")
        yield run.id, what
        if run.name:
            yield run.name, what


def _sweeps(_words: Sequence[str]) -> Iterator[Offer]:
    yield "last", "the newest"
    yield from _sweep_names()


def _sweep_names() -> Iterator[Offer]:
    from gdtui.runs.names import newest_sweeps

    for sweep in newest_sweeps(RUNS):
        what = f"a sweep of {sweep.total:,} runs"
        yield sweep.id, what
        if sweep.name:
            yield printable(sweep.name), what


def _axes(words: Sequence[str]) -> Iterator[Offer]:
    """What can be swept over; behind its name, the values that it can have, one after the other."""
    name, equals, typed = words[-1].removeprefix("--over=").partition("=")
    if not equals:
        yield from ((f"{setting.option}=", "") for setting in SETTINGS.values() if setting.name != "set")
        yield from _hyperparameters(words)
        return
    chosen, comma, _ = typed.rpartition(",")
    given = chosen.split(",")
    known = VALUES[f"--{name}"](words) if f"--{name}" in VALUES else ()
    for value, what in known:
        if value and value not in given:
            yield f"{name}={chosen}{comma}{value}", what


def _themes(_words: Sequence[str]) -> Iterable[Offer]:
    from gdtui.dashboard.themes import NAMES

    return ((name, "") for name in NAMES)


def _exported(_words: Sequence[str]) -> Iterable[Offer]:
    return ((what, "") for what in ("history", "samples", "experiment", "chart", "lab"))


VALUES: dict[str, Callable[[Sequence[str]], Iterable[Offer]]] = {
    "--problem": _problems,
    "--data": _datasets,
    "--optimizer": _optimizers,
    "--schedule": _schedules,
    "--order": lambda _: ((order, "") for order in ORDERS),
    "--set": _hyperparameters,
    "--over": _axes,
    "--theme": _themes,
    "--what": _exported,
    "--name": lambda _: (),
    "FORMAT": lambda _: ((name, "") for name in ("progress", "tutorial", "jsonl")),
    "RUN": _runs,
    "RUN|SWEEP": lambda words: chain(_runs(words), _sweep_names()),
    "SWEEP": _sweeps,
    "RUN|FILE|-": lambda words: (*_runs(words), FILES),
    "NAME": _lessons,
    "TOPIC": _topics,
    "FILE": lambda _: (FILES,),
    "FILE.py:NAME": lambda _: (FILES,),
}
"""Who knows the values: by an option, or by what stands for a value in the help."""


# --- scripts ---------------------------------------------------------------------------------------------------------

BASH = r"""# gdtui's completion for bash: put this into ~/.bashrc:
#     eval "$(gdtui completion bash)"
_gdtui() {
    local line file
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == $'\tfiles' ]]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$2")
        else
            COMPREPLY+=("${line%%$'\t'*}")
        fi
    done < <("$1" completion next "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _gdtui gdtui
"""

ZSH = r"""#compdef gdtui
# gdtui's completion for zsh: put this into ~/.zshrc, after compinit:
#     eval "$(gdtui completion zsh)"
_gdtui() {
    local line word with_files none=1
    local -a whole open
    for line in "${(@f)$($words[1] completion next "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        word=${line%%$'\t'*}
        if [[ $line == $'\tfiles' ]]; then with_files=1
        elif [[ $word == *= ]]; then open+=("${word//:/\\:}:${line#*$'\t'}")
        elif [[ -n $word ]]; then whole+=("${word//:/\\:}:${line#*$'\t'}")
        fi
    done
    (( $#whole )) && _describe -V gdtui whole && none=0
    (( $#open )) && _describe -V gdtui open -S '' && none=0
    if [[ -n $with_files ]]; then compset -P '--*='; _files && none=0; fi
    return none
}
compdef _gdtui gdtui
"""

FISH = r"""# gdtui's completion for fish:
#     gdtui completion fish > ~/.config/fish/completions/gdtui.fish
function __gdtui_offers
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] completion next $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = \tfiles
            set -l option (string match -r '^--[^=]*=' -- "$current")
            for path in (__fish_complete_path (string replace -- "$option" '' "$current"))
                echo "$option$path"
            end
        else
            echo $line
        end
    end
end
complete -c gdtui -f -a '(__gdtui_offers)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
"""A script for each shell."""

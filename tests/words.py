#!/usr/bin/env python3
"""The words as a test: no identifier that docs/glossary.md has replaced, and plain sentences in comments and on pages. Exits 1 naming every fault."""
import functools
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("src", "apps", "bench", "contracts", "fuzz", "tests", "demo", "servers", "docs", "*.md")
OLD_WORDS = {  # by the folder below which they are old; "": everywhere
    "":
        "actions_in_silence add_each Again Announcement announcement_of another_amount another_amount_on_postgres "
        "another_balance another_total answer_bytes_max answered_before answered_keys answers_held ApiParts Ask ask_count "
        "asks_for AuditorAtHand Awaited bad_key batches_after_a_repeat batches_to_look_first_ blame_parked Books Breaker "
        "bring_up_to_date broken_chain broken_on_postgres brought_in bury_if_dead bus_doubled cache_forgets calm_max "
        "cancellation_of carry_out carry_out_once changes_unannounced changes_without_event Changing check_identity check_words "
        "Circumstances close_reserve come_back come_to Committed committed_before Confirmations Courier creation_of "
        "customers_in_silence decide_again decisions_unanswered do_not_wait_for_disk DonePositions draw_horizon Driven "
        "end_maker Errand events_are_dated_when_said events_of_no_change fails_alike find_answers Finding Findings free_queues "
        "from_wire gather_from gather_time gather_time_of_many gather_until give_back give_up_on_lines given_bytes_max "
        "go_over_to_stream GuidedSource hand_out handle_inventory_events Handled has_own_limits_ Heard hears_refusal Hold "
        "hold_answers hold_lease Home HttpWire idle_share if_sound in_parts insert_unseen introduction_wait_max "
        "InventoryProgram is_amid is_doomed is_gone is_good is_hasty is_hasty_ is_held_ is_left_behind is_of_a_moving_group "
        "is_peace is_peace_ is_planted is_quiet is_sight_needed is_sound is_worth_another_try is_worth_storing item_walk "
        "ItemLoad ItemWords Kept kept_answer_time kept_for known_at Lack lack_names Lane lane_batches_max lane_of LaneChanges "
        "LaneLimits Lanes Latencies leave_out let_go let_others_run let_waiting_go lets_go lines_of_another_state "
        "lines_of_nothing lock_shelves long_ago look_again_max look_again_min look_at_agreement look_at_clock "
        "look_at_everything look_at_lease look_at_slot look_whether_drained looks_again looks_first lose_answers lose_commands "
        "LostRace make_wire many_a_second may_be_overtaken may_be_sent_again may_come_right may_go_on may_lack_stock Meaning "
        "Memory Moment move_all move_free_queues move_queue movement_walk network_patience_ no_fit no_life_of_an_order "
        "not_taken not_where_history_ends nothing_is_put_aside Notice numbers_with_a_gap numbers_with_a_gap_on_postgres "
        "Occasion one_by_text one_of or_lose order_key order_walk OrderEvents OrderKey OrderLoad OrderProgram OrderRecord "
        "OrderReply outbox_walk OutboxForTests OutboxWitness owes_continue_ parked_walk Parking parts_of_no_order Patience "
        "pause_before_retry pause_min pending_for_ever pending_of People Person Placing Plan plans_last_ plans_last_max "
        "plans_last_min Plant postgres_each prepare_blindly put_items put_many put_off PutItem Rate read_and_validate_draft "
        "read_books read_draft read_words reads_are_true Receipt record_unseen RecordedAnswer RelayProgram repeat_max "
        "replies_about_nothing request_doubled reservation_walk retried_in_vain retry_step_under_way rollback_patience Round "
        "saga_of_another_state SagaClock SagaRound sagas_forgotten sagas_tell_the_truth said_at save_what_goes_with_them "
        "SavedOrder saying_max select_sight send_again send_cancelled_again send_created_again set_aside_parked_keys Shelf "
        "Shelves shelves_read shipped_for_nobody Sight silence_length site_name Situation skip_the_rest SourcesForTests "
        "spoil_answers spoils_the_connection Standing start_afresh state_count state_named state_names step_is_over "
        "steps_of_another_state steps_of_another_state_on_postgres Stock stock_agrees_with_itself stock_is_sound stock_up "
        "StockAnswer StockStep StoresAtHand storm_max Story suspects_max Suspicion take_back take_words Tally terminate_maker "
        "the_model_allows_it Threads to_be_asked_for to_wire topics_heard unknown_max unsound_skus unsound_stock "
        "wait_for_second_look wake_at_the_next_thing Walk walks_of Wire with_words_replaced without_content without_saga "
        "without_twins words_of write_maybe Writing Wrong",
    "src/inventory/":
        "Given Parts",
    "src/load/":
        "Answer take_line",
    "src/order/":
        "answer_of Answers Given meaning_of Parts which_exist",
    "src/sim/":
        "Shop",
}
COMMENT_MARKS = {".cpp": "//", ".hpp": "//", ".py": "#", ".cmake": "#", ".sql": "--"}
OPENERS = re.compile(r"(?:^|[.:;!?] )(Who|What|Whoever|Whatever|Whose)\b(?![^.]*\?)")  # of a sentence that is no question
PRIVATE = re.compile(r"\bso many\b|\bso much\b|\bputs? aside\b|\bwhoever\b|\ba twin\b|\blets? it go\b", re.IGNORECASE)
OLD_TEXTS = re.compile(r"whoever|culprit|relay\.blame|relay\.lease\.look", re.IGNORECASE)  # in names, strings and comments of sources
NOT_CODE = re.compile(r'R"(\w*)\(.*?\)\1"|"(?:[^"\\\n]|\\.)*"|//[^\n]*', re.DOTALL)


def is_exempt(file):
    """A checksum guards the text of migrations: it cannot change."""
    return "/migrations/" in file


@functools.cache
def old_words(folders):
    words = " ".join(OLD_WORDS[folder] for folder in folders).split()
    return re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, words))})(?![\w-])")


def identifier_faults(file, text):
    pattern = old_words(tuple(folder for folder in OLD_WORDS if file.startswith(folder)))
    code = NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    for number, line in enumerate(code.splitlines(), 1):
        for word in pattern.finditer(line):
            yield f"line {number}: {word[1]} is an old word; docs/glossary.md has the present ones"


def prose_of(suffix, text):
    """(line number, text) of the comments of a source, or of the lines of a page outside code blocks."""
    mark = COMMENT_MARKS.get(suffix)
    is_code = False
    for number, line in enumerate(text.splitlines(), 1):
        if mark:
            comment = re.search(rf"(?:^|\s){mark}\s?(.*)", line)
            if comment:
                yield number, comment[1].strip()
        elif line.startswith("```"):
            is_code = not is_code
        elif not is_code and not line.startswith("    "):
            yield number, line.lstrip("#-*| >0123456789.").strip()


def faults_of(file):
    text = (ROOT / file).read_text()
    suffix = pathlib.Path(file).suffix
    if suffix in (".cpp", ".hpp"):
        yield from identifier_faults(file, text)
        for number, line in enumerate(text.splitlines(), 1):
            if old := OLD_TEXTS.search(line):
                yield f"line {number}: '{old[0]}' is an old word: say the plain one"
    for number, line in prose_of(suffix, text):
        if opener := OPENERS.search(line):
            yield f"line {number}: a sentence begins with {opener[1]}: put the subject first"
        if private := PRIVATE.search(line):
            yield f"line {number}: '{private[0]}': name the thing"


def main():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *FOLDERS], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [f for f in listed.stdout.split() if f.endswith((".md", *COMMENT_MARKS)) and (ROOT / f).exists() and not is_exempt(f)]
    faults = [f"{file}: {fault}" for file in files for fault in faults_of(file)]
    print("\n".join(faults) or f"words: {len(files)} files, all in plain words")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main())

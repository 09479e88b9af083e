import { useSignal } from "@preact/signals";
import type { PlannedPhase, View } from "../../protocol";
import { words as sheetWords } from "../../state/circle";
import { hasTurns, misfits, nextIndex, openAt, titleOf } from "../../state/lead";
import { lead } from "../../text/lead";
import { Act } from "../Act";
import { Dialog } from "../Dialog";
import { opened } from "./Button";
import { FitWords } from "./Fit";
import { PhaseEdit } from "./PhaseEdit";

interface Props {
  view: View;
  onClose(): void;
}

/** The plan of the meeting: open any part, change it, leave it out, or choose another plan. */
export function RunSheetWindow({ view, onClose }: Props) {
  const changing = useSignal<number | null>(null);
  const { sheet } = view;
  const words = sheetWords.value;
  const index = changing.value;
  const phase = index === null ? undefined : sheet?.phases[index];
  if (index !== null && phase)
    return (
      <PhaseEdit
        key={index}
        index={index}
        phase={phase}
        title={titleOf(phase, words)}
        onClose={() => {
          changing.value = null;
        }}
      />
    );
  return (
    <Dialog key="plan" title={words?.title ?? lead.sheet.title} onClose={onClose} isWide>
      {!sheet && <p>{lead.sheet.none}</p>}
      {sheet && (
        <ol class="steps">
          {sheet.phases.map((each, at) => (
            <Part
              // A part has no name of its own but its place.
              key={`${sheet.id} ${at}`}
              view={view}
              phase={each}
              at={at}
              title={titleOf(each, words)}
              onChange={() => {
                changing.value = at;
              }}
              onOpened={onClose}
            />
          ))}
        </ol>
      )}
      {sheet && view.fit.length > 0 && misfits(view).length === 0 && <small>{lead.fit.all}</small>}
      <button
        type="button"
        onClick={() => {
          opened.value = "library";
        }}
      >
        {sheet ? lead.sheet.another : lead.main.choose}
      </button>
    </Dialog>
  );
}

interface PartProps {
  view: View;
  phase: PlannedPhase;
  at: number;
  title: string;
  onChange(): void;
  onOpened(): void;
}

function Part({ view, phase, at, title, onChange, onOpened }: PartProps) {
  const words = lead.sheet;
  const now = view.sheet?.index ?? -1;
  const isNow = at === now;
  const isToCome = at > now;
  const may = (kind: string) => view.may.includes(kind);
  const fit = misfits(view).find(({ index }) => index === at);
  const place = isNow
    ? words.now
    : !isToCome
      ? words.done
      : at === nextIndex(view)
        ? words.next
        : "";
  return (
    <li class={isNow ? "now" : isToCome ? "" : "past"} aria-current={isNow ? "step" : undefined}>
      <div class="part">
        <div>
          <b>{title}</b>
          <small>
            {words.of(
              lead.mode[phase.mode],
              phase.length_ms === null ? "" : words.length(phase.length_ms),
              hasTurns(phase) ? words.turn(phase.turn_ms) : "",
            )}
            {phase.optional && ` · ${words.optional}`}
          </small>
        </div>
        {place && <span class="place">{place}</span>}
      </div>
      <div class="row">
        {!isNow && may("open_phase") && (
          <Act command={openAt(view, at)} label={`${words.open}: ${title}`} onDone={onOpened}>
            {words.open}
          </Act>
        )}
        {(isToCome || isNow) && may("change_phase") && (
          <button type="button" aria-label={`${words.change} ${title}`} onClick={onChange}>
            {words.change}
          </button>
        )}
        {isToCome && (may("drop_phase") || at !== now + 1) && may("open_phase") && (
          <Act
            command={{ kind: "drop_phase", index: at }}
            label={`${words.drop}: ${title}`}
            class="quiet"
          >
            {words.drop}
          </Act>
        )}
      </div>
      {fit && <FitWords view={view} fit={fit} />}
    </li>
  );
}

import { useSignal } from "@preact/signals";
import type { ChangePhase, Order, PlannedPhase, Timeout } from "../../protocol";
import { hasTurns, stepLength, stepTurn } from "../../state/lead";
import { ask } from "../../state/visit";
import { lead, lengthWords } from "../../text/lead";
import { Dialog } from "../Dialog";

interface Props {
  index: number;
  phase: PlannedPhase;
  title: string;
  onClose(): void;
}

const TIMEOUTS: Timeout[] = ["soft", "firm", "none"];
const ORDERS: Order[] = ["list", "quiet-first", "seeded-random", "hand", "previous-names-next"];

/** Changes a part of the run sheet, now or to come. Only what was changed is sent. */
export function PhaseEdit({ index, phase, title, onClose }: Props) {
  const words = lead.sheet;
  const length = useSignal(phase.length_ms);
  const turn = useSignal(phase.turn_ms);
  const timeout = useSignal(phase.timeout);
  const order = useSignal(phase.order);
  const hasFloor = hasTurns(phase) && phase.mode !== "pairs";
  const save = () => {
    const change: ChangePhase = { kind: "change_phase", index };
    if (length.value !== phase.length_ms) change.length_ms = length.value;
    if (turn.value !== phase.turn_ms) change.turn_ms = turn.value;
    if (timeout.value !== phase.timeout) change.timeout = timeout.value;
    if (order.value !== phase.order) change.order = order.value;
    void ask(change);
    onClose();
  };
  return (
    <Dialog title={words.changeTitle(title)} closing={lead.sheet.back} onClose={onClose}>
      {length.value !== null && (
        <Stepper
          title={words.minutes}
          shown={lengthWords(length.value)}
          less={words.shorter}
          more={words.longer}
          step={(up) => {
            length.value = stepLength(length.value ?? 0, up);
          }}
        />
      )}
      {hasTurns(phase) && (
        <Stepper
          title={words.turnLength}
          shown={lengthWords(turn.value)}
          less={words.shorterTurn}
          more={words.longerTurn}
          step={(up) => {
            turn.value = stepTurn(turn.value, up);
          }}
        />
      )}
      {hasFloor && (
        <fieldset>
          <legend>{words.timeout}</legend>
          {TIMEOUTS.map((each) => (
            <label key={each} class="choice">
              <input
                type="radio"
                name="timeout"
                checked={each === timeout.value}
                onChange={() => {
                  timeout.value = each;
                }}
              />
              <span>{lead.timeout[each]}</span>
            </label>
          ))}
        </fieldset>
      )}
      {hasFloor && (
        <label class="stack">
          {words.order}
          <select
            value={order.value}
            onChange={(event) => {
              order.value = event.currentTarget.value as Order;
            }}
          >
            {ORDERS.map((each) => (
              <option key={each} value={each}>
                {lead.order[each]}
              </option>
            ))}
          </select>
        </label>
      )}
      <small>{words.told}</small>
      <button type="button" class="main" onClick={save}>
        {words.save}
      </button>
    </Dialog>
  );
}

interface StepperProps {
  title: string;
  shown: string;
  less: string;
  more: string;
  step(up: boolean): void;
}

/** A length between two buttons, told in words. */
function Stepper({ title, shown, less, more, step }: StepperProps) {
  return (
    <fieldset>
      <legend>{title}</legend>
      <div class="stepper">
        <button type="button" aria-label={less} title={less} onClick={() => step(false)}>
          −
        </button>
        <output aria-live="polite">{shown}</output>
        <button type="button" aria-label={more} title={more} onClick={() => step(true)}>
          +
        </button>
      </div>
    </fieldset>
  );
}

import { door } from "../state/secrecy";
import { atDoor } from "../text/secrecy";

/** How private this circle is, told before anybody sits down. isLast: again, beside the last button. */
export function DoorWords({ isLast = false }: { isLast?: boolean }) {
  const now = door.value;
  if (!now) return null;
  if (now.isOn)
    return (
      <>
        {now.isOlder && <p class="sign">{atDoor.older}</p>}
        <small>{atDoor.on}</small>
      </>
    );
  return (
    <section class="sign open">
      <p>
        <b>{atDoor.off}</b>
      </p>
      {now.reason === null ? (
        <p>{atDoor.practice}</p>
      ) : (
        <>
          <p>{atDoor.reason(now.reason)}</p>
          {!isLast && <p>{atDoor.offBody}</p>}
        </>
      )}
      {isLast && <p>{atDoor.agreeing}</p>}
    </section>
  );
}

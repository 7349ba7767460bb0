/** Always in the page, so that a screen reader tells what comes into it. */
export function Problem({ id, text }: { id: string; text: string | undefined }) {
  return (
    <div role="alert" id={id}>
      {text && <p>{text}</p>}
    </div>
  );
}

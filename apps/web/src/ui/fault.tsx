interface FaultProps {
  /** What `aria-describedby` of the field refers to. */
  id?: string;
  message: string | null;
}

/** What is wrong, in a sentence that screen readers say at once; nothing while `message` is null. */
export function Fault({ id, message }: FaultProps) {
  if (message === null) return null;
  return (
    <p id={id} className="fault" role="alert">
      {message}
    </p>
  );
}

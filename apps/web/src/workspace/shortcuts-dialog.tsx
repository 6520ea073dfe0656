import { useState } from "react";
import { Modal } from "../ui/modal.tsx";
import { areShortcutsOn, setShortcutsOn, SHORTCUTS } from "./shortcuts.ts";

/** The keys of the app, and a switch for the single ones. */
export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const [isOn, setIsOn] = useState(areShortcutsOn);
  return (
    <Modal title="Keyboard shortcuts" onClose={onClose}>
      <dl className="shortcuts">
        {SHORTCUTS.map(({ keys, action }) => (
          <div key={keys}>
            <dt>{action}</dt>
            <dd>
              <kbd>{keys}</kbd>
            </dd>
          </div>
        ))}
      </dl>
      <label className="switch">
        <input
          type="checkbox"
          checked={isOn}
          onChange={(event) => {
            setIsOn(event.target.checked);
            setShortcutsOn(event.target.checked);
          }}
        />
        Single-key shortcuts
      </label>
    </Modal>
  );
}

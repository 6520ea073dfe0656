import { createClient } from "@task-platform/client";
import {
  TaskPlatformProvider,
  useSubtasks,
  useTasks,
  useTaskStore,
} from "@task-platform/client/react";
import { createAuthClient } from "better-auth/client";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

declare global {
  interface Window {
    renderCount: number;
  }
}

window.renderCount = 0;

function Tasks() {
  window.renderCount += 1;
  const { tasks, isLoaded } = useTasks({ listId: null, parentId: null, status: "pending" });
  const store = useTaskStore();
  return (
    <>
      <button disabled={!isLoaded} onClick={() => store.createTask({ title: "Water the plants" })}>
        Add
      </button>
      <ul>
        {tasks.map((task) => (
          <li key={task.id}>
            {task.title}
            <Progress parentId={task.id} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Progress({ parentId }: { parentId: string }) {
  const { subtasks, completed } = useSubtasks(parentId);
  return subtasks.length === 0 ? null : ` ${completed} of ${subtasks.length}`;
}

function App({ signedInUser }: { signedInUser: string | null }) {
  const [user, setUser] = useState(signedInUser);
  return (
    <TaskPlatformProvider client={client} user={user} onSignedOut={() => setUser(null)}>
      <Tasks />
      <button onClick={() => setUser(null)}>Sign out</button>
    </TaskPlatformProvider>
  );
}

const auth = createAuthClient({ baseURL: location.origin });
const client = createClient({ url: location.origin, auth });
const signedInUser = new URLSearchParams(location.search).get("user");

createRoot(document.body.appendChild(document.createElement("main"))).render(
  <StrictMode>
    <App signedInUser={signedInUser} />
  </StrictMode>,
);

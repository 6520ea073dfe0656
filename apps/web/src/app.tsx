import { TaskPlatformProvider } from "@task-platform/client/react";
import { NoticeArea } from "./notices/notice-area.tsx";
import { client } from "./platform.ts";
import { useSession } from "./session/session.ts";
import { useCookieSession } from "./session/use-cookie-session.ts";
import { SignInPage } from "./sign-in/sign-in-page.tsx";
import { Workspace } from "./workspace/workspace.tsx";

/** Decides between the tasks and the sign-in form. The local copy stays open when the server ends a session. */
export function App() {
  const session = useSession();
  useCookieSession();
  return (
    <TaskPlatformProvider client={client} user={session.account?.id ?? null}>
      {session.state === "signed-in" && (
        <Workspace key={session.account.id} account={session.account} />
      )}
      {session.state === "ended" && <SignInPage key="ended" />}
      {session.state === "signed-out" && <SignInPage />}
      <NoticeArea />
    </TaskPlatformProvider>
  );
}

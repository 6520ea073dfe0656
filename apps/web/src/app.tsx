import { TaskPlatformProvider } from "@task-platform/client/react";
import { lazy, Suspense } from "react";
import { NoticeArea } from "./notices/notice-area.tsx";
import { client } from "./platform.ts";
import { CheckSession } from "./session/check-session.ts";
import { endSession, useSession } from "./session/session.ts";
import { SyncAfterSignIn } from "./session/sync-after-sign-in.ts";
import { useCookieSession } from "./session/use-cookie-session.ts";
import { SignInPage } from "./sign-in/sign-in-page.tsx";

// Requested at once, not when it is rendered: it is there before the user has signed in.
const workspace = import("./workspace/workspace.tsx");
const Workspace = lazy(async () => ({ default: (await workspace).Workspace }));

/** Decides between the tasks and the sign-in form. The local copy stays open when the server ends a session. */
export function App() {
  const session = useSession();
  useCookieSession();
  return (
    <TaskPlatformProvider
      client={client}
      user={session.account?.id ?? null}
      onSignedOut={endSession}
    >
      <SyncAfterSignIn />
      <CheckSession />
      {session.state === "signed-in" && (
        <Suspense fallback={null}>
          <Workspace key={session.account.id} account={session.account} />
        </Suspense>
      )}
      {session.state === "ended" && <SignInPage key="ended" />}
      {session.state === "signed-out" && <SignInPage />}
      <NoticeArea />
    </TaskPlatformProvider>
  );
}

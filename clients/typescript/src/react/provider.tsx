import { type ReactNode, createContext, useContext, useEffect, useRef, useState } from "react";

import { type SyncClient, type TaskStore, openStore } from "../sync/index.js";
import { EMPTY_STORE } from "./empty-store.js";
import { endRemembering } from "./remembered-user.js";

const StoreContext = createContext<TaskStore>(EMPTY_STORE);

/** Whose tasks the components in the provider show. */
export interface TaskPlatformProviderProps {
  client: SyncClient;
  /** The id of the user whose copy to show, as of `useRememberedUser`; null shows nobody's. */
  user: string | null;
  /** Called when the session has ended, or another user is signed in. */
  onSignedOut?: () => void;
  children?: ReactNode;
}

interface OpenStore {
  client: SyncClient;
  user: string;
  store: TaskStore;
}

/** Opens the local copy of the user for all components in it, and closes it at the end. */
export function TaskPlatformProvider(props: TaskPlatformProviderProps): ReactNode {
  const { client, user, onSignedOut, children } = props;
  const [open, setOpen] = useState<OpenStore | null>(null);

  // A callback that is a new function in each render must not open the copy again.
  const latestOnSignedOut = useRef(onSignedOut);
  useEffect(() => {
    latestOnSignedOut.current = onSignedOut;
  });

  useEffect(() => {
    if (user === null) {
      return;
    }
    const store = openStore({
      client,
      user,
      onSignedOut: () => {
        endRemembering(user);
        latestOnSignedOut.current?.();
      },
    });
    setOpen({ client, user, store });
    return () => {
      store.close();
    };
  }, [client, user]);

  // Until the effect has run, the store may still be that of the previous user.
  const isCurrent = open?.client === client && open.user === user;
  const store = isCurrent ? open.store : EMPTY_STORE;
  return <StoreContext.Provider value={store}>{children}</StoreContext.Provider>;
}

/** The store, for edits. Nobody's store is empty, and refuses edits. */
export function useTaskStore(): TaskStore {
  return useContext(StoreContext);
}

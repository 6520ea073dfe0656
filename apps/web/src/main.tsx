import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { finishSignOut } from "./account/sign-out.ts";
import { App } from "./app.tsx";
import { startServiceWorker } from "./start-service-worker.ts";
import { FailurePage } from "./ui/failure-page.tsx";
import "./styles/index.css";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element #root");
void finishSignOut();
createRoot(root).render(
  <StrictMode>
    <FailurePage>
      <App />
    </FailurePage>
  </StrictMode>,
);
if (import.meta.env.PROD) startServiceWorker();

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element #root");
createRoot(root).render(
  <StrictMode>
    <main>
      <h1>Tasks</h1>
    </main>
  </StrictMode>,
);
if (import.meta.env.PROD) void navigator.serviceWorker.register("/sw.js");

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./App";
import { begin } from "./session";
import "./style.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no root");
// Before anything is shown: nobody sees "Sign in" flash by who is signed in.
await begin();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { localSignIn } from "./local/localSignIn.ts";

export default defineConfig(({ mode }) => ({
  plugins: [react(), ...(mode === "localhost" ? [localSignIn("relay.json")] : [])],
  server: { port: 5173 },
  preview: { port: 5173 },
}));

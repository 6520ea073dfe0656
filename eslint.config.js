import eslint from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import { defineConfig, globalIgnores } from "eslint/config";
import typescript from "typescript-eslint";

export default defineConfig(
  globalIgnores([
    "**/dist/",
    "**/node_modules/",
    "**/.venv*/",
    "var/",
    "clients/typescript/src/openapi.ts",
  ]),
  eslint.configs.recommended,
  {
    files: ["deploy/better-auth/*.mjs", "e2e/**/*.js", "e2e/**/*.mjs"],
    languageOptions: {
      globals: {
        Buffer: false,
        URL: false,
        clearTimeout: false,
        process: false,
        setTimeout: false,
      },
    },
  },
  {
    files: ["services/auth-gateway/src/auth_gateway/public/without-app/*.js"],
    languageOptions: { globals: { caches: false, self: false } },
  },
  {
    files: ["services/auth-gateway/src/auth_gateway/public/docs/*.js"],
    languageOptions: {
      globals: {
        SwaggerUIBundle: false,
        atob: false,
        clearTimeout: false,
        document: false,
        fetch: false,
        matchMedia: false,
        setTimeout: false,
      },
    },
  },
  {
    files: ["{clients,apps}/**/*.{ts,tsx}"],
    extends: [typescript.configs.strictTypeChecked, typescript.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
  },
  {
    files: ["apps/**/*.tsx", "clients/typescript/src/react/**"],
    ...reactHooks.configs.flat.recommended,
  },
);

// Our own scripts: syntax of ES2021, interfaces of the oldest browser, nothing that the content security policy refuses.
import { newerThanChromium } from "./newer.js";

export default [
  {
    // Chromium 90 has ES2021 whole and ES2022 in parts.
    languageOptions: { ecmaVersion: 2021, sourceType: "script" },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    plugins: { xinheng: { rules: { "newer-than-chromium": newerThanChromium } } },
    rules: {
      "xinheng/newer-than-chromium": "error",
      eqeqeq: "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-unused-vars": "error",
      "no-var": "error",
      "prefer-const": "error",
      strict: ["error", "global"],
    },
  },
];

// Two plugins, because each knows what the other does not; and functions that neither knows.
export default {
  plugins: ["stylelint-browser-compat", "stylelint-no-unsupported-browser-features"],
  rules: {
    // An outline follows rounded corners since 94; before that it is square, and an outline all the same.
    "plugin/browser-compat": [true, { browserslist: ["chrome 90"], allow: { features: ["properties.outline"] } }],
    "plugin/no-unsupported-browser-features": [true, { browsers: ["chrome 90"], ignorePartialSupport: true }],
    "function-disallowed-list": [
      ["abs", "acos", "anchor", "asin", "atan", "atan2", "calc-size", "contrast-color", "cos", "exp", "hypot", "if"]
        .concat(["light-dark", "linear", "log", "mod", "pow", "rem", "round", "sibling-index", "sign", "sin", "sqrt", "tan"]),
    ],
    // No request leaves the server.
    "function-url-scheme-disallowed-list": ["http", "https", "//"],
    "no-invalid-position-at-import-rule": true,
    "block-no-empty": true,
    "color-no-invalid-hex": true,
    "declaration-block-no-duplicate-properties": [true, { ignore: ["consecutive-duplicates-with-different-syntaxes"] }],
    "property-no-unknown": true,
    "selector-pseudo-class-no-unknown": true,
    "unit-no-unknown": true,
  },
};

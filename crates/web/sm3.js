// SM3 for certificate.js, which recomputes draw certificates; `cargo xtask assets` bundles it into vendor/sm3.min.js.
// Takes bytes, gives lower-case hex.
export { sm3 as digest } from "sm-crypto-v2";

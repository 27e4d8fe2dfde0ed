// What the oldest browser that the pages must work on does not have, by MDN's compatibility data.
import { createRequire } from "node:module";

const data = createRequire(import.meta.url)("@mdn/browser-compat-data");

/** The Chromium core of the domestic browsers on officers' desktops. */
export const CHROMIUM = 90;

/** The version of Chromium that brought a feature; undefined where the data says nothing of it. */
function since(feature) {
  const support = feature?.__compat?.support.chrome;
  if (support === undefined) return undefined;
  const plain = [support].flat().filter((one) => !one.flags && !one.partial_implementation && !one.prefix);
  const versions = plain.map((one) => (one.version_removed ? Infinity : parseFloat(one.version_added)));
  return Math.min(...versions.map((version) => (Number.isNaN(version) ? Infinity : version)));
}

/** Adds the children of `features` to `found`: the earliest version that has something of that name. */
function collect(features, found) {
  for (const [name, feature] of Object.entries(features ?? {})) {
    const version = since(feature);
    if (version !== undefined) found.set(name, Math.min(version, found.get(name) ?? Infinity));
  }
}

const globals = new Map();
const members = new Map();
for (const family of [data.api, data.javascript.builtins]) {
  collect(family, globals);
  for (const owner of Object.values(family)) collect(owner, members);
}
collect(data.api.Window, globals);

/** Names of what the libraries that we serve give. */
const NOT_OF_THE_BROWSER = ["htmx", "echarts", "chart"];

const newer = (version) => (version > CHROMIUM ? version : undefined);
const told = (version) => (Number.isFinite(version) ? `Chromium ${version} 才有` : "Chromium 没有");

/** The version of a member, if it is too new: of this object where it is a known one, else of any that has it. */
function newerMember(object, name) {
  const owner = data.api[object] ?? data.javascript.builtins[object];
  const known = since(owner?.[`${name}_static`] ?? owner?.[name]);
  return newer(known ?? members.get(name));
}

/** Values that only phones' browsers read and others pass over. */
const OF_PHONES = ["meta name viewport"];

/** What is too new in a tag of HTML: sentences. */
export function newerInTag(tag, attributes) {
  const element = data.html.elements[tag];
  const faults = [];
  if (newer(since(element))) faults.push(`<${tag}> ${told(since(element))}`);
  for (const { name, value } of attributes) {
    // The same attribute under several elements is judged by the element that has it here.
    const version = since(element?.[name]) ?? since(data.html.global_attributes[name]);
    if (newer(version)) faults.push(`属性 ${name} ${told(version)}`);
    const valueVersion = value && since((element?.[name] ?? data.html.global_attributes[name])?.[value]);
    if (newer(valueVersion) && !OF_PHONES.includes(`${tag} ${name} ${value}`)) faults.push(`属性 ${name} 的值 ${value} ${told(valueVersion)}`);
  }
  return faults;
}

/** The ESLint rule: no global and no member that is too new. */
export const newerThanChromium = {
  meta: { type: "problem", schema: [] },
  create(context) {
    const report = (node, name, version) => context.report({ node, message: `${name} ${told(version)}` });
    return {
      MemberExpression({ object, property, computed }) {
        const owner = object.name ?? object.property?.name;
        const version = !computed && !NOT_OF_THE_BROWSER.includes(owner) && newerMember(owner, property.name);
        if (version) report(property, property.name, version);
      },
      "Program:exit"(program) {
        for (const { identifier } of context.sourceCode.getScope(program).through) {
          const version = newer(globals.get(identifier.name));
          if (version) report(identifier, identifier.name, version);
        }
      },
    };
  },
};

/** Resolves identifiers and members in a syntax tree. @module */
import { literal } from "./imports.ts";

type Node = Deno.lint.Node;

/** Whether an identifier refers to a value, and is not a type, a key, or a member's name. */
export function isReference(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  switch (parent.type) {
    case "MemberExpression":
      return parent.computed || !same(parent.property, node);
    case "Property":
      return parent.shorthand || parent.computed || !same(parent.key, node);
    case "PropertyDefinition":
    case "MethodDefinition":
      return parent.computed || !same(parent.key, node);
    case "ImportSpecifier":
    case "ExportSpecifier":
    case "TSTypeReference":
    case "TSQualifiedName":
    case "TSTypeQuery":
    case "TSPropertySignature":
    case "TSMethodSignature":
    case "TSEnumMember":
      return false;
    default:
      return true;
  }
}

function same(a: Node, b: Node): boolean {
  return a.range[0] === b.range[0] && a.range[1] === b.range[1];
}

/** Returns the name in `object.name` and `object["name"]`. */
export function memberName(node: Deno.lint.MemberExpression): string | undefined {
  if (node.computed) return literal(node.property);
  return node.property.type === "Identifier" ? node.property.name : undefined;
}

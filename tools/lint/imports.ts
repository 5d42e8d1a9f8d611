/** Finds everything a file imports. @module */

type Node = Deno.lint.Node;

/** One import: the module, and whether it disappears when types are erased. */
export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  /** The imported names, or `undefined` if it can be any. */
  readonly names: readonly string[] | undefined;
  readonly node: Node;
}

/** Returns the text of a string literal, or `undefined` for any other node. */
export function literal(node: Node | null): string | undefined {
  return node?.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

/** Calls `each` for every import, re-export, `import()` and `import("…")` type of a file. */
export function eachImport(each: (found: Import) => void): Deno.lint.LintVisitor {
  const found = (source: Node | null, typeOnly: boolean, node: Node, names?: readonly string[]): void => {
    const specifier = literal(source);
    if (specifier !== undefined) each({ specifier, typeOnly, names, node });
  };
  return {
    ImportDeclaration(node) {
      const { specifiers } = node;
      const onlyTypes = specifiers.length > 0 &&
        specifiers.every((one) => one.type === "ImportSpecifier" && one.importKind === "type");
      const names = specifiers.map((one) =>
        one.type === "ImportSpecifier" && one.imported.type === "Identifier" ? one.imported.name : "*"
      );
      found(node.source, node.importKind === "type" || onlyTypes, node, names);
    },
    ExportNamedDeclaration(node) {
      found(node.source, node.exportKind === "type", node);
    },
    ExportAllDeclaration(node) {
      found(node.source, node.exportKind === "type", node);
    },
    ImportExpression(node) {
      found(node.source, false, node);
    },
    TSImportType(node) {
      found(node.argument.type === "TSLiteralType" ? node.argument.literal : null, true, node);
    },
  };
}

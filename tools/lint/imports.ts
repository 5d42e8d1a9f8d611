/** What a file imports, in whatever way. @module */

type Node = Deno.lint.Node;

/** One module named in another, and whether it is gone once the types are. */
export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  /** The names taken from it; undefined where that may be any. */
  readonly names: readonly string[] | undefined;
  readonly node: Node;
}

/** The text of a node that is one. */
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

/** dynalite has no types of its own. */
declare module "dynalite" {
  function dynalite(options?: {
    createTableMs?: number;
    deleteTableMs?: number;
    updateTableMs?: number;
  }): import("node:http").Server;
  export = dynalite;
}

/** The inside of dynalite, whose actions reach these functions by their names. */
declare module "dynalite/db" {
  namespace db {
    type DynaliteItem = Record<string, { S?: string; B?: string }>;

    interface DynaliteTable {
      KeySchema: { AttributeName: string; KeyType: "HASH" | "RANGE" }[];
      GlobalSecondaryIndexes?: { IndexName: string; KeySchema: DynaliteTable["KeySchema"] }[];
    }
  }

  const db: {
    validateKey(key: db.DynaliteItem, table: db.DynaliteTable, ...schema: unknown[]): Error | null | undefined;
    validateItem(item: db.DynaliteItem, table: db.DynaliteTable): Error | null | undefined;
    updateIndexes(
      store: unknown,
      table: db.DynaliteTable,
      before: db.DynaliteItem | undefined,
      item: db.DynaliteItem | null | undefined,
      done: (error?: Error | null) => void,
    ): void;
    itemSize(item: db.DynaliteItem): number;
    validationError(message: string): Error;
  };
  export = db;
}

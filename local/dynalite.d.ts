/** dynalite has no types of its own. */
declare module "dynalite" {
  function dynalite(options?: {
    createTableMs?: number;
    deleteTableMs?: number;
    updateTableMs?: number;
  }): import("node:http").Server;
  export = dynalite;
}

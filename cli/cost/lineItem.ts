/** A line of the bill: `count` / `per` x `price`. */
export interface LineItem {
  service: string;
  what: string;
  /** The formula of `count`, in words. */
  formula: string;
  count: number;
  price: number;
  /** The number of units that the price is for. */
  per: 1 | 1_000_000;
  usd: number;
}

export function each(service: string, what: string, formula: string, count: number, price: number): LineItem {
  return { service, what, formula, count, price, per: 1, usd: count * price };
}

export function perMillion(service: string, what: string, formula: string, count: number, price: number): LineItem {
  return { service, what, formula, count, price, per: 1_000_000, usd: (count / 1_000_000) * price };
}

export function totalUsd(items: readonly LineItem[]): number {
  return items.reduce((sum, { usd }) => sum + usd, 0);
}

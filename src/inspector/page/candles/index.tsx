/** The candles of a series. */
export function CandleChart({ series }: { readonly series: string }) {
  return <p class="none">{series}</p>;
}

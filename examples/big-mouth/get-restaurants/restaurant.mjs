/** What the table knows of a restaurant, as the API tells it. */

export function brief(item) {
  return { id: item.id.S, name: item.name.S, cuisine: item.cuisine.S };
}

export function whole(item) {
  const menu = Object.entries(item.menu.M).map(([dish, cents]) => ({ dish, cents: Number(cents.N) }));
  return { ...brief(item), menu };
}

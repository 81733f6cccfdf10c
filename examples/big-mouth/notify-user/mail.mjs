/** The e-mail that a customer gets. */
export function render({ id, email, restaurant_name: restaurant, items, total_cents: total }) {
  const lines = items.map(({ dish, quantity }) => `${quantity} x ${dish}`);
  return {
    from: "Big Mouth <orders@big-mouth.example>",
    to: email,
    subject: `Your order ${id}`,
    text: [`${restaurant} is cooking for you:`, "", ...lines, "", `${(total / 100).toFixed(2)} EUR, paid.`].join("\n"),
  };
}

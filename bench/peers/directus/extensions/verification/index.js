// May this registration use dry needling on a day? An endpoint of Directus's own kind: its services read the
// tables, the ladder of bench/peers/eligibility.py is spelt in its language.

const TECHNIQUE = "dry_needling";
const FOREVER = "9999-12-31";
const DAY = /^\d{4}-\d{2}-\d{2}$/;

const isLive = (standing) => standing === "in_force" || standing === "in_grace";

const standingReasons = (subject, { standing, also }) =>
  [standing, also].filter((each) => each && each !== "in_force").map((each) => `${subject}_${each}`);

function outcomeOf(span, rule, held) {
  if (span.standing === "unknown") return "unknown";
  if (!isLive(span.standing)) return "registration_not_in_force";
  if (rule && !rule.may_needle) return "class_not_eligible";
  if (!held) return "technique_not_covered";
  if (held.standing === "unknown") return "unknown";
  if (!isLive(held.standing)) return "authorization_not_in_force";
  return span.conditions ? "authorized_with_conditions" : "authorized";
}

function reasonsOf(span, rule, held) {
  const found = standingReasons("registration", span);
  if (rule && !rule.may_needle && span.standing !== "not_yet") found.push("class_not_eligible");
  found.push(...(held ? standingReasons("authorization", held) : ["technique_not_covered"]));
  if (span.conditions) found.push("registration_conditions");
  return found;
}

export default {
  id: "bodies",
  handler: (router, { services, getSchema }) => {
    router.get("/:body/registrations/:number/verification", async (request, response, next) => {
      try {
        const { body, number } = request.params;
        const on = String(request.query.on);
        if (!DAY.test(on)) return response.status(400).json({ errors: [{ message: "on is a day" }] });
        const schema = await getSchema();
        const holdsOn = [{ first_day: { _lte: on } }, { last_day: { _gte: on } }];
        const first = async (collection, wanted, fields) => {
          const items = new services.ItemsService(collection, { schema });
          const filter = { _and: [...wanted, ...holdsOn] };
          return (await items.readByQuery({ filter, fields, limit: 1 }))[0];
        };
        const span = await first(
          "registration_spans",
          [{ registration_id: { body: { _eq: body } } }, { registration_id: { number: { _eq: number } } }],
          [
            ...["standing", "also", "last_day", "register_class", "conditions"],
            ...["registration_id.id", "registration_id.practitioner_id.name"],
          ],
        );
        if (!span) {
          const unknown = { name: null, authorized: false, outcome: "not_found", valid_through: null };
          return response.json({ body, number, on, ...unknown, reasons: ["never_registered"] });
        }
        const rule = await first(
          "rules",
          [{ body: { _eq: body } }, { register_class: { _eq: span.register_class } }],
          ["may_needle", "last_day"],
        );
        const held = await first(
          "authorization_spans",
          [
            { authorization_id: { registration_id: { _eq: span.registration_id.id } } },
            { authorization_id: { technique: { _eq: TECHNIQUE } } },
          ],
          ["standing", "also", "last_day"],
        );
        const outcome = outcomeOf(span, rule, held);
        const through = [span, rule, held].map((each) => each?.last_day ?? FOREVER).sort()[0];
        return response.json({
          body,
          number,
          name: span.registration_id.practitioner_id.name,
          on,
          authorized: outcome === "authorized" || outcome === "authorized_with_conditions",
          outcome,
          reasons: reasonsOf(span, rule, held),
          valid_through: through === FOREVER ? null : through,
        });
      } catch (error) {
        return next(error);
      }
    });
  },
};

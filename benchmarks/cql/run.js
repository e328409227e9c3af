// Answers rows of ferritin, TSAT and age from stdin by cql-execution, one execution for each row.
// The library is the decision in ELM, which is what CQL compiles to.
const path = require("path");
const cql = require(path.join(process.argv[2], "node_modules", "cql-execution"));

const number = (value) => ({
  type: "Literal",
  valueType: "{urn:hl7-org:elm-types:r1}Decimal",
  value: String(value),
});
const whole = (value) => ({
  type: "Literal",
  valueType: "{urn:hl7-org:elm-types:r1}Integer",
  value: String(value),
});
const told = (name) => ({ type: "ParameterRef", name });
const compare = (type, name, value) => ({ type, operand: [told(name), number(value)] });
const both = (type, one, other) => ({ type, operand: [one, other] });
const cases = [
  [both("Or", compare("GreaterOrEqual", "tsat", 45), compare("GreaterOrEqual", "ferritin", 300)), 4],
  [both("And", compare("Less", "age", 18), compare("Less", "ferritin", 50)), 2],
  [compare("Less", "age", 18), 3],
  [compare("LessOrEqual", "ferritin", 75), 2],
  [compare("Less", "tsat", 20), 5],
  [compare("LessOrEqual", "ferritin", 100), 1],
];
const parameter = (name) => ({
  name,
  accessLevel: "Public",
  parameterTypeSpecifier: { type: "NamedTypeSpecifier", name: "{urn:hl7-org:elm-types:r1}Decimal" },
});
const elm = {
  library: {
    identifier: { id: "Iron", version: "1" },
    schemaIdentifier: { id: "urn:hl7-org:elm", version: "r1" },
    usings: { def: [{ localIdentifier: "System", uri: "urn:hl7-org:elm-types:r1" }] },
    parameters: { def: ["ferritin", "tsat", "age"].map(parameter) },
    statements: {
      def: [
        {
          name: "said",
          context: "Unfiltered",
          accessLevel: "Public",
          expression: {
            type: "Case",
            caseItem: cases.map(([when, then]) => ({ when, then: whole(then) })),
            else: whole(3),
          },
        },
      ],
    },
  },
};

(async () => {
  const rows = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const library = new cql.Library(elm);
  const said = [];
  const start = process.hrtime.bigint();
  for (const [ferritin, tsat, age] of rows) {
    const executor = new cql.Executor(library, null, { ferritin, tsat, age });
    const results = await executor.exec(new cql.PatientSource([]));
    said.push(results.unfilteredResults.said);
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  process.stdout.write(JSON.stringify({ said, seconds }));
})();

/*
 * A plugin for Swagger UI with what it lacks: a search over operations, links from problem documents to their
 * pages, and forms that send only what was filled in.
 */

// --- Search: Swagger UI itself finds tags only.

/** Everything of an operation that a search looks at, in lower case. */
function searchableText(operation) {
  const details = operation.get("operation");
  const parameters = details.get("parameters");
  const names = parameters ? parameters.map((parameter) => parameter.get("name")).join(" ") : "";
  return [
    operation.get("method"),
    operation.get("path"),
    details.get("summary"),
    details.get("operationId"),
    details.get("description"),
    names,
  ]
    .join(" ")
    .toLowerCase();
}

/** Keep the operations that contain every word of the phrase, and the tags that have any. */
function filterOperations(taggedOperations, phrase) {
  const words = phrase.toLowerCase().split(/\s+/);
  const isFound = (operation) => {
    const text = searchableText(operation);
    return words.every((word) => text.includes(word));
  };
  return taggedOperations
    .map((tag) => tag.update("operations", (operations) => operations.filter(isFound)))
    .filter((tag) => tag.get("operations").size > 0);
}

function createSearchBox(React) {
  return function SearchBox({ layoutSelectors, layoutActions, specSelectors }) {
    const filter = layoutSelectors.currentFilter();
    const phrase = typeof filter === "string" ? filter : "";
    const isNothingFound = phrase && specSelectors.taggedOperations().size === 0;
    return React.createElement(
      "div",
      { className: "search" },
      React.createElement("input", {
        type: "search",
        "aria-label": "Search operations",
        placeholder: "Search operations",
        value: phrase,
        onChange: (event) => layoutActions.updateFilter(event.target.value),
      }),
      isNothingFound &&
        React.createElement("p", { role: "status" }, "No operation has all these words."),
    );
  };
}

/** Swagger UI says that there are no operations at all when a search finds none. */
function hideIfNothingIsFound(Operations, { React }) {
  return function FoundOperations(props) {
    if (props.specSelectors.taggedOperations().size === 0) return null;
    return React.createElement(Operations, props);
  };
}

// --- Problem documents link to the page of their code.

function problemCode(response) {
  try {
    const { type, code } = JSON.parse(response.get("text"));
    return type === `/problems/${code}` ? code : null;
  } catch {
    return null;
  }
}

function linkProblem(LiveResponse, { React }) {
  return function LinkedLiveResponse(props) {
    const code = problemCode(props.response);
    const link = React.createElement(
      "p",
      { className: "problem" },
      React.createElement(
        "a",
        { href: `/problems/${code}`, target: "_blank" },
        `What ${code} means`,
      ),
    );
    return React.createElement(
      React.Fragment,
      null,
      code && link,
      React.createElement(LiveResponse, props),
    );
  };
}

// --- Forms: Swagger UI would send the example of each optional parameter, and NDJSON as one JSON string.

const NDJSON = "application/x-ndjson";

function showNdjsonAsText(getSampleSchema) {
  return (schema, mediaType, ...options) =>
    getSampleSchema(schema, mediaType === NDJSON ? "text/plain" : mediaType, ...options);
}

function moveExamplesToDescriptions(api) {
  for (const path of Object.values(api.paths)) {
    for (const operation of Object.values(path)) {
      operation.parameters = operation.parameters.map(moveExampleToDescription);
    }
  }
  return api;
}

function moveExampleToDescription({ example, ...parameter }) {
  if (parameter.required || example === undefined) return { example, ...parameter };
  const description = `${parameter.description ?? ""}\n\nSuch as \`${example}\``;
  return { ...parameter, description };
}

export function plugin({ React, fn }) {
  return {
    fn: {
      opsFilter: filterOperations,
      getSampleSchema: showNdjsonAsText(fn.getSampleSchema),
    },
    components: { FilterContainer: createSearchBox(React) },
    wrapComponents: { liveResponse: linkProblem, operations: hideIfNothingIsFound },
    statePlugins: {
      spec: {
        wrapActions: {
          updateJsonSpec: (updateJsonSpec) => (api) =>
            updateJsonSpec(moveExamplesToDescriptions(api)),
        },
      },
    },
  };
}

/**
 * What JupyterLab shows in place of a saved widget that it did not find: without this, "model not found" for good. It happens in
 * two ways. A lesson that was run and saved in JupyterLab names widgets of a kernel that has gone, and their states were never
 * saved: the picture beside them in the output has to do. And ipywidgets looks for a model every 100 ms for two seconds, but not
 * once more when they are over: if the states arrive just then, it gives up on widgets that are there.
 */
const WIDGET_VIEW = "application/vnd.jupyter.widget-view+json";
const WIDGET_STATE = "application/vnd.jupyter.widget-state+json";
const SEARCHING = "Loading widget...";
const NOT_FOUND = "Error displaying widget: model not found";

/** Outputs of a notebook that name a widget and hold a picture that stands in for it. */
function outputs_with_widgets(notebook) {
  const found = [];
  for (const cell of notebook.cells) {
    for (let n = 0; n < (cell.outputs?.length ?? 0); n++) {
      const output = cell.outputs.get(n);
      if (output.data[WIDGET_VIEW] && output.data["image/png"]) found.push(output);
    }
  }
  return found;
}

/** What outputs say that are text alone, as they are while ipywidgets searches, and when it has given up. */
const output_texts = () => new Set([...document.querySelectorAll(".jp-OutputArea-output")]
  .filter((node) => !node.childElementCount).map((node) => node.textContent));

/**
 * Let JupyterLab show the picture of each widget that is gone, and draw again each that it wrongly gave up on.
 * @returns whether it is still searching for some, so that there may be more to do later
 */
async function repair_outputs(manager, notebook) {
  const saved = notebook.getMetadata("widgets")?.[WIDGET_STATE]?.state ?? {};
  const now = output_texts();
  const searching = now.has(SEARCHING);
  const gave_up = now.has(NOT_FOUND) && !searching;
  for (const output of outputs_with_widgets(notebook)) {
    const { data } = output;
    const { [WIDGET_VIEW]: { model_id }, ...picture } = data;
    if (!manager.has_model(model_id)) {
      if (!(model_id in saved)) output.setData({ data: picture });
    } else if (gave_up && !Object.keys((await manager.get_model(model_id)).views).length) {
      output.setData({ data: picture }); // Lab draws an output anew only where its kind has changed.
      output.setData({ data });
    }
  }
  return searching;
}

const rescued = Symbol.for("capslib.rescued");

/** Do so whenever states have arrived; a widget's `initialize`. Elsewhere than in JupyterLab there is no notebook to ask. */
export function rescue({ model }) {
  const manager = model.widget_manager;
  const notebook = manager?.context?.model;
  if (!notebook?.cells || !manager.restored || manager[rescued]) return;
  manager[rescued] = true; // Each widget brings this program; one of them is enough.
  const look = async () => {
    if (await repair_outputs(manager, notebook)) setTimeout(look, 200);
  };
  manager.restored.connect(look);
  if (manager.restoredStatus) look();
}

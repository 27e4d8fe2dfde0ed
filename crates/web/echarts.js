// The part of ECharts that the pages draw with; `cargo xtask assets` bundles it into vendor/echarts.min.js.
import { getInstanceByDom, init, use } from "echarts/core";
import { BarChart, LineChart, PieChart, ScatterChart } from "echarts/charts";
import { AriaComponent, DatasetComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, LineChart, PieChart, ScatterChart]);
use([AriaComponent, DatasetComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent]);
use(SVGRenderer);

export { getInstanceByDom, init };

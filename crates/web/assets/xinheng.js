// What pages do beyond HTML. Everything here is a convenience: each page works without it.
"use strict";

(function () {
  const each = (selector, work, root) => (root || document).querySelectorAll(selector).forEach(work);

  // Pictures are drawn from the table that stands below them, so that both always say the same.
  const tones = { A: "#2f7d4a", B: "#2f6db3", C: "#d98a00", D: "#b3261e" };
  const palette = ["#2f6db3", "#2f7d4a", "#d98a00", "#b3261e", "#6b4fa0", "#4c8a94"];

  function numbers(table) {
    const heads = Array.from(table.tHead.rows[0].cells).slice(1).map((cell) => cell.textContent.trim());
    const rows = Array.from(table.tBodies[0].rows).map((row) => ({
      name: row.cells[0].textContent.trim(),
      values: Array.from(row.cells).slice(1).map((cell) => Number(cell.dataset.value || cell.textContent.replace(/,/g, "")) || 0),
    }));
    return { heads, rows };
  }

  const drawings = {
    stacked(table) {
      const { heads, rows } = numbers(table);
      return {
        legend: { top: 0 }, tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, renderMode: "richText" },
        grid: { left: 8, right: 16, top: 36, bottom: 4, containLabel: true },
        xAxis: { type: "category", data: rows.map((row) => row.name), axisLabel: { interval: 0, rotate: rows.length > 6 ? 30 : 0 } },
        yAxis: { type: "value", minInterval: 1 },
        series: heads.map((head, place) => ({
          name: head, type: "bar", stack: "all", barMaxWidth: 46,
          itemStyle: { color: tones[head[0]] || palette[place % palette.length] },
          data: rows.map((row) => row.values[place]),
        })),
      };
    },
    waterfall(table) {
      const { rows } = numbers(table);
      let sum = 0;
      const base = [], up = [], down = [];
      rows.forEach((row) => {
        const value = row.values[0];
        base.push(Math.min(sum, sum + value));
        up.push(value >= 0 ? value : "-");
        down.push(value < 0 ? -value : "-");
        sum += value;
      });
      const total = Math.round(sum * 1000) / 1000;
      return {
        tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, renderMode: "richText" },
        grid: { left: 8, right: 16, top: 30, bottom: 4, containLabel: true },
        xAxis: { type: "category", data: rows.map((row) => row.name).concat("合计"), axisLabel: { interval: 0, rotate: rows.length > 5 ? 30 : 0 } },
        yAxis: { type: "value", name: "分" },
        series: [
          { type: "bar", stack: "all", silent: true, itemStyle: { color: "transparent" }, data: base.concat(0), tooltip: { show: false } },
          { name: "加分", type: "bar", stack: "all", barMaxWidth: 46, label: { show: true, position: "top" }, itemStyle: { color: tones.C }, data: up.concat({ value: total, itemStyle: { color: "#0b4a8f" } }) },
          { name: "减分", type: "bar", stack: "all", barMaxWidth: 46, label: { show: true, position: "top" }, itemStyle: { color: tones.A }, data: down.concat("-") },
        ],
      };
    },
  };

  function draw(root) {
    if (!window.echarts) return;
    each("[data-picture]", (place) => {
      const table = document.getElementById(place.dataset.table);
      const drawing = drawings[place.dataset.picture];
      if (!table || !drawing || place.firstChild) return;
      place.setAttribute("role", "img");
      const chart = window.echarts.init(place, null, { renderer: "svg" });
      chart.setOption(Object.assign({ animation: false, textStyle: { fontFamily: "inherit" } }, drawing(table)));
      window.addEventListener("resize", () => chart.resize());
    }, root);
  }

  // What was typed outlives a session that ended meanwhile: kept in this tab until it has been sent.
  const draftKey = (form) => "draft " + location.pathname + " " + form.getAttribute("action");

  function keepDrafts(root) {
    // A page that says it went well has no use for drafts any more.
    if (document.querySelector("[data-sent]")) {
      Object.keys(sessionStorage).filter((key) => key.startsWith("draft ")).forEach((key) => sessionStorage.removeItem(key));
    }
    each("form[data-keep]", (form) => {
      const key = draftKey(form);
      const kept = JSON.parse(sessionStorage.getItem(key) || "null");
      if (kept) {
        kept.forEach(([name, value, checked]) => {
          each(`[name="${CSS.escape(name)}"]`, (field) => {
            if (field.type === "checkbox" || field.type === "radio") { if (field.value === value) field.checked = checked; }
            else if (!field.value) field.value = value;
          }, form);
        });
        const note = document.createElement("p");
        note.className = "notice";
        note.textContent = "已恢复上次填写而没有提交的内容，请核对后提交。";
        form.prepend(note);
        sessionStorage.removeItem(key);
      }
      form.addEventListener("submit", () => {
        const fields = Array.from(form.elements).filter((field) => field.name && field.name !== "csrf" && !["password", "file", "hidden"].includes(field.type));
        sessionStorage.setItem(key, JSON.stringify(fields.map((field) => [field.name, field.value, field.checked])));
      });
    }, root);
  }

  function wire(root) {
    draw(root);
    keepDrafts(root);
    each("[data-print]", (button) => button.addEventListener("click", () => window.print()), root);
    each("[data-open]", (button) => {
      const dialog = document.getElementById(button.dataset.open);
      if (dialog && dialog.showModal) button.addEventListener("click", () => dialog.showModal());
    }, root);
    each("[data-close]", (button) => button.addEventListener("click", () => button.closest("dialog").close()), root);
    // A list of days beside a slider: moving it changes the day, letting go asks for it.
    each("input[data-days]", (slider) => {
      const days = slider.dataset.days.split(",");
      const day = document.getElementById(slider.dataset.target);
      slider.addEventListener("input", () => { day.value = days[slider.value]; });
      slider.addEventListener("change", () => day.form.requestSubmit());
    }, root);
    // How long until the lottery, on the screen of a draw's session. The screen asks the server by itself what came next.
    each("[data-countdown]", (place) => {
      const due = Date.parse(place.dataset.countdown);
      const two = (number) => String(number).padStart(2, "0");
      const tell = () => {
        const left = Math.max(0, Math.floor((due - Date.now()) / 1000));
        const days = Math.floor(left / 86400);
        place.textContent = left === 0 ? "已到开奖时间" : `距开奖 ${days ? `${days} 天 ` : ""}${two(Math.floor(left / 3600) % 24)}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
      };
      tell();
      const clock = setInterval(() => { if (place.isConnected) tell(); else clearInterval(clock); }, 1000);
    }, root);
    each(".tickets li", (ticket, place) => { ticket.style.animationDelay = `${Math.min(place, 100) * 120}ms`; }, root);
    // The same form is not sent twice; the server would recognise it, but a person need not wonder.
    each("form[method=post]", (form) => form.addEventListener("submit", () => {
      each("button", (button) => setTimeout(() => { button.disabled = true; }, 0), form);
    }), root);
  }

  // Uploads show how far they are; the answer then takes the place of the page.
  function uploads(root) {
    each("form[data-upload]", (form) => form.addEventListener("submit", (event) => {
      const file = form.querySelector("input[type=file]");
      if (!file || !file.files.length || !window.FormData) return;
      event.preventDefault();
      const bar = form.querySelector("progress");
      const words = form.querySelector("[data-progress]");
      bar.hidden = false;
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.upload.onprogress = (state) => {
        if (!state.lengthComputable) return;
        bar.max = state.total; bar.value = state.loaded;
        words.textContent = state.loaded < state.total
          ? `正在上传 ${Math.floor(state.loaded / state.total * 100)}%`
          : "已传到，正在核对文件……";
      };
      request.onload = () => {
        if (request.responseURL && request.responseURL !== form.action) { location.assign(request.responseURL); return; }
        document.open(); document.write(request.responseText); document.close();
      };
      request.onerror = () => {
        words.textContent = "没有传到：网络中断。请检查网络后再点一次“上传”。";
        bar.hidden = true;
        each("button", (button) => { button.disabled = false; }, form);
      };
      request.send(new FormData(form));
    }), root);
  }

  document.addEventListener("DOMContentLoaded", () => {
    wire(document);
    uploads(document);
    const faults = document.getElementById("faults");
    if (faults) faults.focus();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    // What was swapped as a whole is another element with the same name.
    wire(document.getElementById(event.detail.target.id) || event.detail.target);
    const count = event.detail.target.querySelector("[data-count]");
    if (count) document.getElementById("announce").textContent = count.dataset.count;
  });
  // Buttons that a form disabled come back with the page from the browser's memory.
  window.addEventListener("pageshow", () => each("button[disabled]", (button) => { button.disabled = false; }));
})();

// What a telephone does with sound: plays files one at a time, gives the tone and the keys' notes, records a voice.

/** The two frequencies of each key (ITU-T Q.23), in hertz. */
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477];
const KEYS = "123456789*0#";
/** Loudness (0 to 1) from which a voice counts as heard. */
const HEARD = 0.02;

export class Voice {
  #player = new Audio();
  #ended = () => {};
  /** @type {AudioContext|null} */ #context = null;
  /** @type {MediaRecorder|null} */ #recorder = null;
  #dropped = false;

  /** Plays a file; done when it has ended, was stopped or cannot be played. */
  play(url) {
    this.stop();
    return new Promise((resolve) => {
      this.#ended = () => resolve(undefined);
      this.#player.onended = this.#ended;
      this.#player.onerror = this.#ended;
      this.#player.src = url;
      this.#player.play().catch(this.#ended);
    });
  }

  stop() {
    this.#player.pause();
    this.#ended();
  }

  key(digit) {
    const index = KEYS.indexOf(digit);
    if (index >= 0) this.#tone([ROWS[Math.floor(index / 3)], COLUMNS[index % 3]], 0.12);
  }

  /** The tone before speaking. */
  beep() {
    this.#tone([1000], 0.3);
    return new Promise((resolve) => setTimeout(resolve, 350));
  }

  #tone(frequencies, seconds) {
    const context = (this.#context ??= new AudioContext());
    const volume = context.createGain();
    volume.gain.value = 0.1;
    volume.connect(context.destination);
    for (const frequency of frequencies) {
      const note = context.createOscillator();
      note.frequency.value = frequency;
      note.connect(volume);
      note.start();
      note.stop(context.currentTime + seconds);
    }
  }

  /**
   * Records the microphone until it is finished or dropped.
   * @param {number} seconds at most
   * @param {number} silence seconds of silence, after a voice was heard, that end it; 0 waits for the caller
   * @returns {Promise<Blob|null>} null when dropped; rejects without a microphone
   */
  async record(seconds, silence) {
    this.#dropped = false;
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const close = () => { for (const track of stream.getTracks()) track.stop(); };
    if (this.#dropped) {
      close();
      return null;
    }
    const parts = [];
    const recorder = new MediaRecorder(stream);
    this.#recorder = recorder;
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const limit = setTimeout(() => this.finishRecording(), seconds * 1000);
    const listening = silence > 0 ? this.#endAfterSilence(stream, silence) : undefined;
    return new Promise((resolve) => {
      recorder.onstop = () => {
        clearTimeout(limit);
        clearInterval(listening);
        close();
        this.#recorder = null;
        resolve(this.#dropped ? null : new Blob(parts, { type: recorder.mimeType }));
      };
      recorder.start();
    });
  }

  #endAfterSilence(stream, silence) {
    const context = (this.#context ??= new AudioContext());
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let heardAt = 0;
    return setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      if (samples.some((sample) => Math.abs(sample) > HEARD)) heardAt = performance.now();
      if (heardAt > 0 && performance.now() - heardAt > silence * 1000) this.finishRecording();
    }, 100);
  }

  finishRecording() {
    if (this.#recorder?.state === "recording") this.#recorder.stop();
  }

  dropRecording() {
    this.#dropped = true;
    this.finishRecording();
  }
}

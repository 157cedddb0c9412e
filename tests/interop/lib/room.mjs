// The room's protocol (signaling::message) as a stranger would write it from the documentation: for Node and for a page alike.

export class RoomClient {
  /** Whose sound and picture come on which section. @type {Map<string, {member: string, kind: string}>} */
  tracks = new Map();
  /** @type {RTCPeerConnection|null} */ publishing = null;
  /** @type {RTCPeerConnection|null} */ subscribing = null;

  /** @param {string} url ws://… with the token @param {{WebSocket: any, RTCPeerConnection: any}} platform */
  constructor(url, platform) {
    this.url = url;
    this.platform = platform;
    /** A track arrived, with its section. */
    this.ontrack = (_track, _mid) => {};
  }

  /** Takes a seat and sends these tracks. @param {MediaStreamTrack[]} tracks */
  async join(tracks) {
    this.socket = new this.platform.WebSocket(this.url);
    await new Promise((resolve, reject) => {
      this.socket.onopen = resolve;
      this.socket.onerror = () => reject(new Error('the socket was refused'));
    });
    const admitted = new Promise((resolve) => (this.admitted = resolve));
    this.queue = Promise.resolve();
    this.socket.onmessage = ({ data }) => (this.queue = this.queue.then(() => this.heard(JSON.parse(data))));
    this.say({ type: 'hello' });
    await admitted;
    const connection = (this.publishing = new this.platform.RTCPeerConnection({ bundlePolicy: 'max-bundle' }));
    for (const track of tracks) connection.addTransceiver(track, { direction: 'sendonly' });
    const answered = new Promise((resolve) => (this.answered = resolve));
    await connection.setLocalDescription(await connection.createOffer());
    this.say({ type: 'offer', sdp: connection.localDescription.sdp });
    await answered;
  }

  leave() {
    this.say({ type: 'leave' });
    this.socket.onmessage = null;
    this.left = true;
    this.publishing?.close();
    this.subscribing?.close();
  }

  say(message) {
    this.socket.send(JSON.stringify(message));
  }

  async heard(message) {
    if (this.left) return;
    switch (message.type) {
      case 'welcome':
        if (message.notice_version) this.say({ type: 'acknowledge', version: message.notice_version });
        break;
      case 'admitted':
        this.admitted();
        break;
      case 'answer':
        await this.publishing.setRemoteDescription({ type: 'answer', sdp: message.sdp });
        this.answered();
        break;
      case 'offer':
        if (!this.subscribing) {
          this.subscribing = new this.platform.RTCPeerConnection({ bundlePolicy: 'max-bundle' });
          this.subscribing.ontrack = ({ track, transceiver }) => this.ontrack(track, transceiver.mid);
        }
        this.place(message.tracks);
        await this.subscribing.setRemoteDescription({ type: 'offer', sdp: message.sdp });
        await this.subscribing.setLocalDescription(await this.subscribing.createAnswer());
        this.say({ type: 'answer', sdp: this.subscribing.localDescription.sdp });
        break;
      case 'tracks':
        this.place(message.tracks);
        break;
      case 'error':
        throw new Error(`the hub refused: ${message.code}`);
    }
  }

  place(tracks) {
    this.tracks = new Map(tracks.map(({ mid, member, kind }) => [mid, { member, kind }]));
  }
}

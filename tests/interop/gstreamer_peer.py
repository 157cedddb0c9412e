"""GStreamer's webrtcbin as an encoder (WHIP) or a player (WHEP): gstreamer_peer.py whip|whep URL TOKEN [H264].

A line of JSON a second tells what came so far: pictures decoded, and the sound's loudness. Ends, with DELETE, when its standard input does.
"""

import json
import sys
import threading
import urllib.request
from array import array
from urllib.parse import urljoin

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstApp, GstSdp, GstWebRTC  # noqa: E402, F401

kind, url, token = sys.argv[1:4]
got = {"state": "new", "frames": 0, "energy": 0.0, "width": 0}
session = None

ENCODERS = {
    "VP8": "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=150 target-bitrate=300000 ! rtpvp8pay pt=96 picture-id-mode=15-bit",
    "H264": "openh264enc bitrate=300000 gop-size=150 ! h264parse config-interval=-1 ! rtph264pay pt=96 aggregate-mode=zero-latency",
}
CODEC = sys.argv[4] if len(sys.argv) > 4 else "VP8"
SOURCES = f"""
    webrtcbin name=w bundle-policy=max-bundle
    videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=15/1 ! {ENCODERS[CODEC]}
        ! application/x-rtp,media=video,encoding-name={CODEC},payload=96,clock-rate=90000,rtcp-fb-nack=true,rtcp-fb-nack-pli=true ! w.
    audiotestsrc is-live=true wave=sine volume=0.5 ! audioconvert ! opusenc ! rtpopuspay pt=97
        ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000,encoding-params=(string)2 ! w.
"""
TAKES = {
    "audio": "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000,encoding-params=(string)2",
    "video": "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000,rtcp-fb-nack=true,rtcp-fb-nack-pli=true",
}
SINKS = {
    "VP8": "queue ! rtpvp8depay ! vp8dec ! appsink name=s emit-signals=true sync=false",
    "OPUS": "queue ! rtpopusdepay ! opusdec ! audioconvert ! audio/x-raw,format=S16LE,channels=1,rate=48000 ! appsink name=s emit-signals=true sync=false",
}


def request(method, address, body=None, media_type=None):
    headers = {"Authorization": f"Bearer {token}"}
    if media_type:
        headers["Content-Type"] = media_type
    asked = urllib.request.Request(address, body, headers, method=method)
    return urllib.request.urlopen(asked)


def negotiate(_=None):
    promise = Gst.Promise.new_with_change_func(offered, None)
    webrtc.emit("create-offer", None, promise)


def offered(promise, _):
    # The offer lives in the reply: both have to be kept.
    reply = promise.get_reply()
    offer = reply.get_value("offer")
    text = offer.sdp.as_text()
    webrtc.emit("set-local-description", offer, Gst.Promise.new())
    threading.Thread(target=ask, args=(text,), daemon=True).start()


def ask(offer):
    global session
    try:
        with request("POST", url, offer.encode(), "application/sdp") as answer:
            session = urljoin(url, answer.headers["Location"])
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        print(error.code, error.read().decode(), file=sys.stderr)
        GLib.idle_add(loop.quit)
        return
    _, sdp = GstSdp.SDPMessage.new_from_text(text)
    described = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
    webrtc.emit("set-remote-description", described, Gst.Promise.new())


def arrived(_, pad):
    name = pad.get_current_caps().get_structure(0).get_string("encoding-name")
    branch = Gst.parse_bin_from_description(SINKS[name], True)
    branch.get_by_name("s").connect("new-sample", look, name)
    pipeline.add(branch)
    branch.sync_state_with_parent()
    pad.link(branch.get_static_pad("sink"))


def look(sink, name):
    sample = sink.emit("pull-sample")
    if name == "VP8":
        got["frames"] += 1
        got["width"] = sample.get_caps().get_structure(0).get_int("width")[1]
    else:
        buffer = sample.get_buffer()
        samples = array("h", buffer.extract_dup(0, buffer.get_size()))
        got["energy"] += sum((value / 32768) ** 2 for value in samples) / 48000
    return Gst.FlowReturn.OK


def tell():
    got["state"] = webrtc.get_property("connection-state").value_nick
    print(json.dumps(got), flush=True)
    return True


def complained(_, message):
    error, detail = message.parse_error()
    print(error, detail, file=sys.stderr)
    loop.quit()


def ended():
    sys.stdin.read()
    if session:
        with request("DELETE", session) as gone:
            print(json.dumps({**got, "ended": gone.status}), flush=True)
    GLib.idle_add(loop.quit)


Gst.init(None)
loop = GLib.MainLoop()
if kind == "whip":
    pipeline = Gst.parse_launch(SOURCES)
    webrtc = pipeline.get_by_name("w")
    for index in range(2):
        webrtc.emit("get-transceiver", index).set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
else:
    pipeline = Gst.Pipeline.new()
    webrtc = Gst.ElementFactory.make("webrtcbin", "w")
    webrtc.set_property("bundle-policy", "max-bundle")
    pipeline.add(webrtc)
    for caps in TAKES.values():
        webrtc.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(caps))
webrtc.connect("on-negotiation-needed", negotiate)
webrtc.connect("pad-added", arrived)
bus = pipeline.get_bus()
bus.add_signal_watch()
bus.connect("message::error", complained)
pipeline.set_state(Gst.State.PLAYING)
GLib.timeout_add_seconds(1, tell)
threading.Thread(target=ended, daemon=True).start()
loop.run()
pipeline.set_state(Gst.State.NULL)

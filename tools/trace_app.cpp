#include "tools/trace_app.hpp"

namespace profile_relay::trace_maker {
namespace {

constexpr std::uint32_t main_tid = 21'337;

constexpr app_thread threads[] = {
    {main_tid, "", {0.85, 0.55, 0.35}},
    {21'352, "RenderThread", {0.30, 0.50, 0.15}},
    {21'341, "Jit thread pool", {0.35, 0.08, 0.05}},
    {21'343, "HeapTaskDaemon", {0.05, 0.10, 0.06}},
    {21'345, "FinalizerDaemon", {0.02, 0.03, 0.02}},
    {21'347, "binder:21337_1", {0.06, 0.04, 0.04}},
    {21'360, "DefaultDispatcher-worker-1", {0.20, 0.12, 0.20}},
    {21'361, "DefaultDispatcher-worker-2", {0.12, 0.08, 0.12}},
    {21'364, "OkHttp https://api.shop.example/...", {0.05, 0.10, 0.30}},
    {21'366, "glide-source-thread-0", {0.03, 0.28, 0.04}},
    {21'368, "glide-disk-cache-0", {0.02, 0.16, 0.02}},
    {21'370, "arch_disk_io_0", {0.10, 0.03, 0.12}},
};

struct short_name {
  std::string_view name, path;
};
constexpr short_name modules[] = {
    {"c", "bionic/libc.so"},
    {"art", "/libart.so"},
    {"jcore", "/libjavacore.so"},
    {"ssl", "/libssl.so"},
    {"crypto", "/libcrypto.so"},
    {"process", "/app_process64"},
    {"rt", "/libandroid_runtime.so"},
    {"binder", "/libbinder.so"},
    {"gui", "/libgui.so"},
    {"hwui", "/libhwui.so"},
    {"minikin", "/libminikin.so"},
    {"sqlite", "/libsqlite.so"},
    {"utils", "/libutils.so"},
    {"z", "/libz.so"},
    {"gl", "/libGLESv2_adreno.so"},
    {"shop", "!libshop.so"},
    {"core", "javalib/arm64/boot.oat"},
    {"fw", "/boot-framework.oat"},
    {"gfx", "/boot-framework-graphics.oat"},
    {"app", "/base.odex"},
    {"vdex", "/base.vdex"},
    {"apk", "/base.apk"},
    {"jit", "/memfd:jit-cache (deleted)"},
};

#define MAIN                                                                                               \
  "c:__libc_init > process:main > rt:android::AndroidRuntime::start(char const*, "                         \
  "android::Vector<android::String8> "                                                                     \
  "const&, bool) > art:art_quick_invoke_static_stub > fw:com.android.internal.os.ZygoteInit.main > "       \
  "fw:com.android.internal.os.RuntimeInit$MethodAndArgsCaller.run > fw:android.app.ActivityThread.main > " \
  "fw:android.os.Looper.loop > fw:android.os.Looper.loopOnce > fw:android.os.Handler.dispatchMessage"
#define FRAME                                                              \
  MAIN " > fw:android.view.Choreographer$FrameDisplayEventReceiver.run > " \
       "fw:android.view.Choreographer.doFrame"                             \
       " > fw:android.view.Choreographer.doCallbacks"
#define TRAVERSAL \
  FRAME " > fw:android.view.ViewRootImpl.doTraversal > fw:android.view.ViewRootImpl.performTraversals"
#define NATIVE_THREAD "c:__start_thread > c:__pthread_start(void*)"
#define JAVA_THREAD NATIVE_THREAD " > art:art::Thread::CreateCallback(void*) > core:java.lang.Thread.run"
#define WORKER JAVA_THREAD " > app:kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.runWorker"
#define EXECUTOR JAVA_THREAD " > core:java.util.concurrent.ThreadPoolExecutor.runWorker"
#define RENDER                                                            \
  NATIVE_THREAD                                                           \
  " > utils:android::Thread::_threadLoop(void*) > "                       \
  "hwui:android::uirenderer::renderthread::RenderThread::threadLoop() > " \
  "hwui:android::uirenderer::renderthread::CanvasContext::draw(bool)"

constexpr activity activities[] = {
    // start
    {main_tid,
     {30, 0, 0},
     MAIN " > fw:android.app.ActivityThread.performLaunchActivity > fw:android.app.Activity.performCreate > "
          "app:io.example.shop.MainActivity.onCreate",
     "fw:android.view.LayoutInflater.inflate > fw:android.view.LayoutInflater.createViewFromTag > "
     "core:java.lang.reflect.Constructor.newInstance | app:io.example.shop.di.AppGraph.build > "
     "vdex:io.example.shop.di.CatalogModule.provide | app:io.example.shop.CatalogFragment.onCreateView > "
     "fw:android.view.LayoutInflater.inflate"},
    {main_tid,
     {18, 1, 1},
     MAIN
     " > fw:android.app.ActivityThread.handleBindApplication > app:io.example.shop.ShopApplication.onCreate",
     "art:art::ClassLinker::DefineClass(art::Thread*, char const*) > art:art::ClassLinker::LoadClass() | "
     "app:io.example.shop.metrics.Tracker.install > apk:io.example.shop.metrics.Tracker.readConfig > "
     "app:org.json.JSONTokener.nextValue | shop:JNI_OnLoad > shop:shop::init_tables()"},
    // scroll
    {main_tid,
     {6, 26, 4},
     TRAVERSAL " > fw:android.view.ViewRootImpl.performMeasure > fw:android.view.View.measure > "
               "app:androidx.recyclerview.widget.RecyclerView.onMeasure > "
               "app:androidx.recyclerview.widget.LinearLayoutManager.fill",
     "app:io.example.shop.CatalogAdapter.onBindViewHolder > app:io.example.shop.PriceFormatter.format > "
     "core:java.text.DecimalFormat.format | app:io.example.shop.CatalogAdapter.onBindViewHolder > "
     "fw:android.widget.TextView.setText > fw:android.text.StaticLayout.generate > "
     "minikin:minikin::Layout::doLayoutRunCached(minikin::U16StringPiece const&) | "
     "app:io.example.shop.CatalogAdapter.onCreateViewHolder > fw:android.view.LayoutInflater.inflate"},
    {main_tid,
     {3, 14, 3},
     TRAVERSAL
     " > fw:android.view.ViewRootImpl.performDraw > gfx:android.graphics.RecordingCanvas.drawRenderNode",
     "app:io.example.shop.RatingBar.onDraw > jit:io.example.shop.RatingBar.starPath | "
     "fw:android.widget.ImageView.onDraw > "
     "hwui:android::uirenderer::skiapipeline::SkiaRecordingCanvas::drawImage()"},
    {main_tid,
     {1, 7, 2},
     FRAME " > fw:android.view.ViewRootImpl$ConsumeBatchedInputRunnable.run > "
           "app:androidx.recyclerview.widget.RecyclerView.onTouchEvent",
     "app:androidx.recyclerview.widget.RecyclerView.scrollByInternal | "
     "app:androidx.recyclerview.widget.GapWorker.postFromTraversal"},
    // pay
    {main_tid,
     {0, 0, 24},
     MAIN " > fw:android.view.View.performClick > app:io.example.shop.CheckoutFragment.onPay",
     "app:io.example.shop.Cart.total > app:io.example.shop.Discounts.apply > "
     "shop:shop::price_engine::evaluate(rule "
     "const*, int) | app:io.example.shop.CheckoutFragment.validate > core:java.util.regex.Matcher.find | "
     "jit:io.example.shop.Cart.total"},
    {21'352,
     {1, 3, 1},
     RENDER,
     "hwui:android::uirenderer::skiapipeline::SkiaOpenGLPipeline::draw() > "
     "hwui:GrDirectContext::flushAndSubmit() > gl:EsxContext::DrawElements() | "
     "hwui:android::uirenderer::renderthread::EglManager::swapBuffers() > "
     "gui:android::Surface::queueBuffer() > "
     "binder:android::IPCThreadState::transact() | hwui:android::uirenderer::RenderNode::prepareTree()"},
    {21'341,
     {1, 1, 1},
     NATIVE_THREAD " > art:art::ThreadPoolWorker::Run() > art:art::jit::JitCompileTask::Run(art::Thread*)",
     "art:art::HInstructionBuilder::Build() | art:art::RegisterAllocatorLinearScan::AllocateRegisters() | "
     "art:art::CodeGenerator::Compile()"},
    {21'343,
     {1, 1, 1},
     JAVA_THREAD " > core:java.lang.Daemons$HeapTaskDaemon.runInternal",
     "art:art::gc::collector::ConcurrentCopying::MarkingPhase() > "
     "art:art::gc::collector::ConcurrentCopying::ProcessMarkStack() | "
     "art:art::gc::collector::ConcurrentCopying::ReclaimPhase()"},
    {21'345,
     {1, 1, 1},
     JAVA_THREAD " > core:java.lang.Daemons$FinalizerDaemon.runInternal",
     "core:java.lang.Daemons$FinalizerDaemon.doFinalize | fw:android.view.SurfaceControl.finalize"},
    {21'347,
     {1, 1, 1},
     NATIVE_THREAD " > binder:android::IPCThreadState::joinThreadPool(bool) > "
                   "binder:android::IPCThreadState::executeCommand(int) > fw:android.os.Binder.execTransact",
     "fw:android.app.IApplicationThread$Stub.onTransact | binder:android::Parcel::readString16Inplace()"},
    {21'360,
     {2, 1, 2},
     WORKER " > app:io.example.shop.CatalogRepository$load$2.invokeSuspend",
     "app:kotlinx.serialization.json.Json.decodeFromString > "
     "app:kotlinx.serialization.json.internal.StringJsonLexer.consumeString | "
     "app:io.example.shop.CatalogParser.parse > core:java.util.HashMap.put | z:inflate"},
    {21'360,
     {0, 1, 2},
     WORKER " > app:io.example.shop.search.Index.rebuild",
     "jit:io.example.shop.search.Index.tokenize | shop:shop::stem(char const*, int)"},
    {21'361,
     {1, 1, 1},
     WORKER " > app:io.example.shop.recommend.Scorer$score$1.invokeSuspend",
     "shop:shop::dot_product(float const*, float const*, int) | app:io.example.shop.recommend.Scorer.rank > "
     "core:java.util.ArrayList.sort > core:java.util.TimSort.mergeLo"},
    {21'364,
     {1, 1, 1},
     EXECUTOR " > app:okhttp3.internal.connection.RealCall$AsyncCall.run > "
              "app:okhttp3.internal.http.RealInterceptorChain.proceed",
     "app:okhttp3.internal.http2.Http2Reader.nextFrame > ssl:SSL_read > crypto:aes_gcm_dec_kernel | "
     "app:okhttp3.internal.connection.RealConnection.connectTls > ssl:SSL_do_handshake > "
     "crypto:x25519_scalar_mult_generic | app:okio.Buffer.readUtf8Line"},
    {21'366,
     {1, 1, 1},
     EXECUTOR " > app:com.bumptech.glide.load.engine.DecodeJob.run > "
              "app:com.bumptech.glide.load.resource.bitmap.Downsampler.decode",
     "gfx:android.graphics.BitmapFactory.nativeDecodeStream > hwui:SkJpegCodec::onGetPixels() > "
     "hwui:jsimd_idct_islow_neon | hwui:SkJpegCodec::onGetPixels() > hwui:decode_mcu"},
    {21'368,
     {1, 1, 1},
     EXECUTOR " > app:com.bumptech.glide.load.engine.DecodeJob.run > "
              "app:com.bumptech.glide.disklrucache.DiskLruCache.get",
     "jcore:Linux_readBytes > c:read | core:java.io.FileInputStream.open"},
    {21'370,
     {1, 1, 2},
     EXECUTOR
     " > app:androidx.room.TransactionExecutor.execute > fw:android.database.sqlite.SQLiteSession.execute",
     "rt:android::nativeExecuteForLastInsertedRowId() > sqlite:sqlite3_step > sqlite:sqlite3VdbeExec | "
     "sqlite:sqlite3_step > sqlite:sqlite3BtreeInsert > c:pwrite64"},
};

}  // namespace

std::span<const app_thread> app_threads() { return threads; }
std::span<const activity> app_activities() { return activities; }

std::string_view module_path(std::string_view name) {
  for (auto const& m : modules)
    if (m.name == name) return m.path;
  return {};
}

}  // namespace profile_relay::trace_maker
